package org.jmatte.train.torch;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.InvalidInputException;

/** Where libtorch computes. */
public final class Devices {
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,2}))?");

    private Devices() {}

    public static Device cpu() {
        return new Device(torch.DeviceType.CPU).retainReference(); // no scope of the caller frees it
    }

    /**
     * A device by its name. On a card convolutions become reproducible ones, and in float32 where that is asked for, not in
     * TF32; sums that a card takes in no fixed order, such as the gradients of upsampling, may still differ in their last
     * bits from run to run, and so with time do trainings.
     *
     * @param name {@code cpu}, or {@code cuda} or {@code cuda:N} for the first or another card
     * @throws InvalidInputException if the name is another, or if there is no such card or no libtorch for it
     */
    public static Device named(String name) {
        if (name.equals("cpu")) {
            return cpu();
        }
        Matcher cuda = CUDA.matcher(name);
        if (!cuda.matches()) {
            throw new InvalidInputException("device: expected cpu, cuda or cuda:N, got " + name);
        }
        if (!Context.hasCUDART()) {
            throw new InvalidInputException(
                    "device " + name + ": expected libtorch with CUDA, got one without; remove"
                            + " java/train/target, set MAVEN_ARGS=-Ptorch-cuda, start anew, and have CUDA 13, cuDNN 9 and NCCL");
        }
        int index = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
        int cards = torch.cuda_device_count();
        if (index >= cards) {
            throw new InvalidInputException("device " + name + ": expected one of the cards that CUDA sees, got "
                    + cards + " of them; nvidia-smi and CUDA_VISIBLE_DEVICES say which");
        }
        torch.globalContext().setDeterministicCuDNN(true);
        torch.globalContext().setAllowTF32CuDNN(false);
        return new Device(torch.DeviceType.CUDA, (byte) index).retainReference();
    }
}
