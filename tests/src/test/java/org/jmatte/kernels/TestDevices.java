package org.jmatte.kernels;

import java.util.function.Consumer;

/** The devices that kernels are tested on. */
final class TestDevices {
    /** More than the machine has: large tensors are hardly touched. */
    private static final long MEMORY_BYTES = 48L << 30;

    private static final int SCHEDULES = 3;

    private TestDevices() {}

    /**
     * A new emulated device, for the caller to close.
     *
     * @param architecture 75 or 80
     * @param checked whether races, stray and uninitialised accesses are found; for small sizes
     */
    static Device emulated(int architecture, boolean checked) {
        return Devices.emulated(
                EmulatorOptions.sm(architecture).withChecking(checked).withMemory(MEMORY_BYTES));
    }

    /** Runs a test on checking devices of both architectures, under several schedules of their threads each. */
    static void inCheckedSchedules(Consumer<Device> test) {
        for (int architecture : new int[] {75, 80}) {
            for (long seed = 0; seed < SCHEDULES; seed++) {
                EmulatorOptions options =
                        EmulatorOptions.sm(architecture).withChecking(true).withScheduleSeed(seed);
                try (Device device = Devices.emulated(options)) {
                    test.accept(device);
                }
            }
        }
    }

    /** The card, opened once and not to be closed; only where {@link RequiresCard} holds. */
    static Device card() {
        return Card.DEVICE;
    }

    private static final class Card {
        static final Device DEVICE = Devices.open();
    }
}
