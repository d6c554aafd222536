package org.jmatte.kernels;

import java.util.ArrayList;
import java.util.List;

/** Opens devices. */
public final class Devices {
    private Devices() {}

    /**
     * Opens the first card that can run the kernels, in the driver's order (the fastest first).
     *
     * @throws DeviceException if there is none: why, and what to do
     */
    public static CudaDevice open() {
        int count = CudaDevice.count();
        if (count == 0) {
            throw new DeviceException(CudaDevice.noCards());
        }
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            try {
                return CudaDevice.open(i);
            } catch (DeviceException e) {
                problems.add("card " + i + ": " + e.getMessage());
            }
        }
        throw new DeviceException(String.join("\n", problems));
    }

    /**
     * Opens a card by the driver's number, from 0.
     *
     * @throws DeviceException if it is not there or cannot run the kernels
     */
    public static CudaDevice open(int card) {
        return CudaDevice.open(card);
    }

    /**
     * Opens a device without hardware, for tests: see {@link EmulatedDevice}.
     *
     * @throws DeviceException if the emulator's artifact is not there
     */
    public static EmulatedDevice emulated(EmulatorOptions options) {
        if (options == null) {
            throw new InvalidArgumentException("emulator: options: expected options, got null");
        }
        return EmulatedDevice.open(options);
    }
}
