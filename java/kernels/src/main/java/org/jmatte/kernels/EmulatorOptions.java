package org.jmatte.kernels;

/**
 * What an {@link EmulatedDevice} is to be.
 *
 * @param architecture 75 or 80: which of the kernels' paths runs; 80 has asynchronous copies and bf16
 * @param checking whether accesses are checked for races, bounds, alignment and uninitialised reads; slower by far, for
 *     small sizes
 * @param scheduleSeed which of the possible orders of threads and blocks; 0 is the plain one
 * @param memoryBytes how much memory the device has
 * @param failingAllocation the n-th allocation from now, counted from 1, fails; 0 for none
 * @param failingLaunch the n-th launch fails, and the device with it; 0 for none
 */
public record EmulatorOptions(
        int architecture,
        boolean checking,
        long scheduleSeed,
        long memoryBytes,
        long failingAllocation,
        long failingLaunch) {
    private static final long DEFAULT_MEMORY = 4L << 30;

    public EmulatorOptions {
        if (architecture != 75 && architecture != 80) {
            throw new InvalidArgumentException("emulator: architecture: expected 75 or 80, got " + architecture);
        }
        if (memoryBytes < 0 || failingAllocation < 0 || failingLaunch < 0) {
            throw new InvalidArgumentException("emulator: memory and injected faults: expected numbers from 0, got "
                    + memoryBytes + ", " + failingAllocation + ", " + failingLaunch);
        }
    }

    public static EmulatorOptions sm(int architecture) {
        return new EmulatorOptions(architecture, false, 0, DEFAULT_MEMORY, 0, 0);
    }

    public EmulatorOptions withChecking(boolean on) {
        return new EmulatorOptions(architecture, on, scheduleSeed, memoryBytes, failingAllocation, failingLaunch);
    }

    public EmulatorOptions withScheduleSeed(long seed) {
        return new EmulatorOptions(architecture, checking, seed, memoryBytes, failingAllocation, failingLaunch);
    }

    public EmulatorOptions withMemory(long bytes) {
        return new EmulatorOptions(architecture, checking, scheduleSeed, bytes, failingAllocation, failingLaunch);
    }

    public EmulatorOptions withFailingAllocation(long n) {
        return new EmulatorOptions(architecture, checking, scheduleSeed, memoryBytes, n, failingLaunch);
    }

    public EmulatorOptions withFailingLaunch(long n) {
        return new EmulatorOptions(architecture, checking, scheduleSeed, memoryBytes, failingAllocation, n);
    }
}
