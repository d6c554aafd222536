package org.jmatte.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.Launch;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.Stream;

/** The measuring: call by call, each with inputs of its own and beside what the device reaches. */
final class Measurement {
    /** Of the arithmetic's loop, for about a millisecond on a card. */
    private static final int CARD_ITERATIONS = 4096;

    private Measurement() {}

    /** Runs the calls that a photo of some size takes. */
    static List<Result> of(Device device, Photo photo, List<KernelCall> calls, ElementType type, int runs) {
        boolean emulated = device instanceof EmulatedDevice;
        List<Result> results = new ArrayList<>();
        try (EventTimer timer = new EventTimer(device, runs, emulated ? 1 : EventTimer.FLUSHED_BYTES)) {
            MeasuredCeilings ceilings = new MeasuredCeilings(device, timer, emulated ? 1 : CARD_ITERATIONS);
            for (KernelCall call : calls) {
                try (Inputs inputs = new Inputs(device)) {
                    Consumer<Stream> prepared = call.preparation().prepare(inputs);
                    List<Launch> launches = launches(device, prepared);
                    double[] times = timer.microseconds(prepared);
                    results.add(Result.of(photo, call, launches, times, ceilings, type));
                }
            }
        }
        return results;
    }

    /** What a call launches; runs it once, so that its kernels are loaded and its faults are known. */
    private static List<Launch> launches(Device device, Consumer<Stream> call) {
        try (LaunchProfile profile = LaunchProfile.counting(device)) {
            call.accept(device.defaultStream());
            device.synchronize();
            return profile.entries().stream().map(LaunchProfile.Entry::launch).toList();
        }
    }
}
