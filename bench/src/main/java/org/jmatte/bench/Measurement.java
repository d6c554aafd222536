package org.jmatte.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatedDevice;
import org.jmatte.kernels.Launch;
import org.jmatte.kernels.LaunchProfile;
import org.jmatte.kernels.PlainCall;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.VendorLibrary;

/** The measuring: call by call, each with inputs of its own and beside what the device reaches. */
final class Measurement {
    /** Of the arithmetic's loop, for about a millisecond on a card. */
    private static final int CARD_ITERATIONS = 4096;

    private Measurement() {}

    /**
     * Runs the calls that a photo of some size takes.
     *
     * @param library runs their plain products and convolutions beside ours; null for nobody
     */
    static List<Result> of(
            Device device, Photo photo, List<KernelCall> calls, ElementType type, int runs, VendorLibrary library) {
        boolean emulated = device instanceof EmulatedDevice;
        List<Result> results = new ArrayList<>();
        try (EventTimer timer = new EventTimer(device, runs, emulated ? 1 : EventTimer.FLUSHED_BYTES)) {
            MeasuredCeilings ceilings = new MeasuredCeilings(device, timer, emulated ? 1 : CARD_ITERATIONS);
            for (KernelCall call : calls) {
                try (Inputs inputs = new Inputs(device)) {
                    Consumer<Stream> prepared = call.preparation().prepare(inputs);
                    List<Launch> launches = launches(device, prepared);
                    double[] times = timer.microseconds(prepared);
                    Double peer = library == null ? null : peer(library, launches, timer);
                    results.add(Result.of(photo, call, launches, times, ceilings, type, peer));
                }
            }
        }
        return results;
    }

    /** Microseconds of a library for the product or convolution that a call is, without its epilogue; else null. */
    private static Double peer(VendorLibrary library, List<Launch> launches, EventTimer timer) {
        PlainCall core = launches.size() == 1 ? launches.get(0).core() : null;
        if (core == null || !library.run(core, timer.stream())) {
            return null;
        }
        return EventTimer.quantile(timer.microseconds(stream -> library.run(core, stream)), 0.5);
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
