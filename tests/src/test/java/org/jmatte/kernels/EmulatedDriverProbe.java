package org.jmatte.kernels;

import static org.jmatte.ChildProcess.say;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jmatte.Backend;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Precision;
import org.jmatte.Scenes;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;

/** What {@link EmulatedDriverTest} has a process of its own do, with a stand-in for the driver; prints lines of > word value. */
final class EmulatedDriverProbe {
    private EmulatedDriverProbe() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
        switch (arguments[0]) {
            case "open" -> open();
            case "contract" -> contract();
            case "failure" -> failure();
            case "network" -> network();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void open() {
        try (Device device = Devices.open()) {
            say("opened", device.name());
            device.launch(
                    new Launch("layer_norm", "layer_norm_fp32", 1, 1, 1, ParameterBlock.create(), 0, 0),
                    device.defaultStream());
        } catch (DeviceException | InvalidArgumentException e) {
            say("refused", e.getMessage());
        }
    }

    /** All that is tested on the card. */
    private static void contract() throws ReflectiveOperationException {
        int passed = 0;
        CardTest card = new CardTest();
        for (Object test : List.of(
                new DeviceContractTest(),
                new ArgumentsTest(),
                new LayerNormTest(),
                new WindowAttentionTest(),
                card.new ContextTest())) {
            for (Method method : test.getClass().getDeclaredMethods()) {
                method.setAccessible(true);
                try {
                    if (method.isAnnotationPresent(DeviceTest.class)) {
                        method.invoke(test, TestDevices.card());
                    } else if (test instanceof CardTest.ContextTest && method.isAnnotationPresent(Test.class)) {
                        method.invoke(test);
                    } else {
                        continue;
                    }
                    passed++;
                } catch (InvocationTargetException e) {
                    say(test.getClass().getSimpleName() + "." + method.getName(), e.getCause());
                }
            }
        }
        say("passed", passed);
        long free = TestDevices.card().freeBytes();
        TestDevices.card().allocate(1000);
        TestDevices.card().close();
        try (Device again = Devices.open()) {
            say("leaked", free - again.freeBytes());
        }
    }

    /** The same image again and again; a run that replays a graph tells of fewer stages. */
    private static void network() {
        MattingOptions options =
                MattingOptions.defaults().withBackend(Backend.CUDA).withPrecision(Precision.FP16);
        Photo photo = Scenes.photo(31, 45, 1);
        Trimap trimap = Scenes.disc(31, 45, 1);
        List<Integer> stages = new ArrayList<>();
        Set<ByteBuffer> alphas = new HashSet<>();
        try (Matting matting = Matting.open("seeded:mematte_tiny", options);
                Matting other = Matting.open("seeded:mematte_tiny", options.withDevice(0))) {
            for (int run = 0; run < 4; run++) {
                AtomicInteger count = new AtomicInteger();
                MatteRequest request =
                        MatteRequest.defaults().withProgress((name, done, total) -> count.incrementAndGet());
                Matte matte = (run < 3 ? matting : other).matte(photo, trimap, request);
                stages.add(count.get());
                alphas.add(matte.alpha().values());
                say("peak" + run, matte.peakBytes() - matte.plannedBytes());
            }
        }
        say("stages", stages);
        say("alphas", alphas.size());
    }

    /** A kernel that reaches outside its memory, in a launch that comes back before that is known. */
    private static void failure() {
        Device device = Devices.open();
        DeviceBuffer buffer = device.allocate(4096);
        Stream stream = device.createStream();
        Tensor all = Tensor.wrap(buffer.pointer(), ElementType.FP32, 64, 64);
        Tensor some = buffer.tensor(ElementType.FP32, 64);
        LayerNorm.run(device, all, all, some, some, 1e-6f, stream);
        try {
            stream.synchronize();
        } catch (DeviceException e) {
            say("first", e.getMessage());
        }
        try {
            device.allocate(1);
        } catch (DeviceException e) {
            say("later", e.getMessage());
        }
        stream.close();
        buffer.close();
        device.close();
        say("closed", true);
    }
}
