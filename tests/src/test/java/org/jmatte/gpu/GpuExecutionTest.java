package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import org.jmatte.Alphas;
import org.jmatte.Backend;
import org.jmatte.Cancellation;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Precision;
import org.jmatte.Scenes;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.OutOfDeviceMemoryException;
import org.jmatte.network.PamPath;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs on an emulated device: its memory and its faults. */
class GpuExecutionTest {
    private static final int HEIGHT = 70;
    private static final int WIDTH = 90;
    /** Of a device that holds the weights and a small image. */
    private static final long MEMORY = 12_500_000;

    private static final MattingOptions HALF = MattingOptions.defaults().withPrecision(Precision.FP16);
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    @TempDir
    private Path directory;

    private final Photo photo = Scenes.photo(HEIGHT, WIDTH, 1);
    private final Trimap trimap = Scenes.disc(HEIGHT, WIDTH, 1);

    private static GpuExecution open(String model, MattingOptions options, Device device) {
        try (ModelSource source = ModelSource.open("seeded:" + model)) {
            return GpuExecution.open(source, options, SharedDevice.of(device));
        }
    }

    private static GpuExecution open(EmulatorOptions device) {
        return open("mematte_tiny", HALF, Devices.emulated(device));
    }

    private Matte matte(GpuExecution execution) {
        return execution.matte(photo, trimap, EXACT);
    }

    @ParameterizedTest
    @CsvSource({"mematte_tiny, FP32", "mematte_tiny, FP16", "vitmatte_tiny, FP16"})
    void bothArchitecturesPathsAgree(String model, Precision precision) {
        MattingOptions options = MattingOptions.defaults().withPrecision(precision);
        try (GpuExecution old = open(model, options, Devices.emulated(EmulatorOptions.sm(75)));
                GpuExecution recent = open(model, options, Devices.emulated(EmulatorOptions.sm(80)))) {
            Matte first = matte(old);
            Matte second = matte(recent);
            assertEquals(first.routing().kept(), second.routing().kept());
            assertClosest(model, first.closest(), second.closest(), precision == Precision.FP32 ? 1e-4 : 0.05);
            double worst = Alphas.difference(first.alpha(), second.alpha());
            assertTrue(worst < (precision == Precision.FP32 ? 1e-5 : 5e-3), "alpha differs by " + worst);
        }
    }

    /** The routers' distance to another decision is told, and is the processor's. */
    private void assertClosest(String model, double first, double second, double tolerance) {
        if (model.startsWith("vitmatte")) {
            assertEquals(Double.POSITIVE_INFINITY, first);
            assertEquals(Double.POSITIVE_INFINITY, second);
            return;
        }
        try (Matting processor = Matting.open("seeded:" + model, MattingOptions.defaults())) {
            double closest = processor.matte(photo, trimap, EXACT).closest();
            assertEquals(closest, first, tolerance);
            assertEquals(closest, second, tolerance);
        }
    }

    /** Small strips, bands and chunks give what large ones give, and the device holds what was planned. */
    @Test
    void aTightBudgetChangesLittle() {
        Device device = Devices.emulated(EmulatorOptions.sm(80));
        long before = device.freeBytes();
        try (GpuExecution free = open("mematte_tiny", MattingOptions.defaults(), device)) {
            Matte expected = matte(free);
            assertEquals(expected.plannedBytes(), before - device.freeBytes());
            long budget = 21_500_000;
            MattingOptions tight = MattingOptions.defaults().withMemoryBudget(budget);
            try (GpuExecution lean = open("mematte_tiny", tight, Devices.emulated(EmulatorOptions.sm(80)))) {
                Matte matte = matte(lean);
                assertTrue(matte.peakBytes() <= budget && matte.peakBytes() < expected.peakBytes(), matte.toString());
                assertEquals(matte.plannedBytes(), matte.peakBytes());
                assertTrue(Alphas.difference(expected.alpha(), matte.alpha()) < 1e-5);
            }
        }
    }

    /** Bands, strips and a stem that is computed twice give the same bytes; the device holds what was planned. */
    @ParameterizedTest
    @CsvSource({"70, 90, FP32", "130, 60, FP16", "33, 200, BF16"})
    void pamIsTheSameInAnyMemory(int height, int width, Precision precision) {
        Photo picture = Scenes.photo(height, width, 2);
        Trimap unknown = Scenes.disc(height, width, 2);
        MattingOptions options = MattingOptions.defaults().withPrecision(precision);
        try (GpuExecution free = open("pam", options, Devices.emulated(EmulatorOptions.sm(80)))) {
            Matte expected = free.matte(picture, unknown, EXACT);
            assertEquals(expected.plannedBytes(), expected.peakBytes());
            long least = leastBytes("pam", options, picture, unknown);
            assertTrue(least < expected.peakBytes(), least + " instead of " + expected.peakBytes());
            for (long budget : new long[] {least, (least + expected.peakBytes()) / 2}) {
                Device device = Devices.emulated(EmulatorOptions.sm(80));
                long before = device.freeBytes();
                try (GpuExecution lean = open("pam", options.withMemoryBudget(budget), device)) {
                    Matte matte = lean.matte(picture, unknown, EXACT);
                    assertEquals(expected.alpha().values(), matte.alpha().values());
                    assertEquals(expected.path(), matte.path());
                    assertTrue(matte.peakBytes() <= budget, matte.peakBytes() + " in a budget of " + budget);
                    assertEquals(matte.plannedBytes(), matte.peakBytes());
                    assertEquals(matte.plannedBytes(), before - device.freeBytes());
                }
            }
        }
    }

    /** Without a budget, in the smallest, and between them: where tokens are fewer, too. */
    @ParameterizedTest
    @CsvSource({"mematte_tiny, 31, 45, FP16", "mematte_tiny, 100, 40, BF16", "vitmatte_tiny, 45, 70, FP16"})
    void thePeakIsThePlan(String model, int height, int width, Precision precision) {
        Photo picture = Scenes.photo(height, width, 2);
        Trimap unknown = Scenes.disc(height, width, 2);
        MattingOptions options = MattingOptions.defaults().withPrecision(precision);
        long least = leastBytes(model, options, picture, unknown);
        for (long budget : new long[] {0, least, least * 11 / 10}) {
            Device device = Devices.emulated(EmulatorOptions.sm(80));
            long before = device.freeBytes();
            try (GpuExecution execution = open(model, options.withMemoryBudget(budget), device)) {
                Matte matte = execution.matte(picture, unknown, EXACT);
                assertTrue(budget == 0 || matte.peakBytes() <= budget, matte.peakBytes() + " in " + budget);
                assertEquals(matte.plannedBytes(), matte.peakBytes());
                assertEquals(matte.plannedBytes(), before - device.freeBytes());
            }
        }
    }

    /** The smallest budget, which a refusal names. */
    private static long leastBytes(String model, MattingOptions options, Photo photo, Trimap trimap) {
        try (GpuExecution none = open(model, options.withMemoryBudget(1), Devices.emulated(EmulatorOptions.sm(80)))) {
            String message = assertThrows(InvalidInputException.class, () -> none.matte(photo, trimap, EXACT))
                    .getMessage();
            return Long.parseLong(message.replaceAll(".*at least (\\d+) bytes.*", "$1"));
        }
    }

    /** A weight that is no number, anywhere on either path, is an error and never a result. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "stem_full.weight",
                "encoder.quarter.segments.0.layers.1.expand.weight",
                "encoder.quarter.segments.0.connect.first.weight",
                "decoder.quarter.norm.weight",
                "refine_full.second.bias",
                "alpha.weight"
            })
    void anAlphaOfPamThatIsNoNumberIsAnError(String broken) {
        try (ModelSource source = ModelSource.open("seeded:pam")) {
            Path file = directory.resolve("broken.safetensors");
            Checkpoint checkpoint = new ScaledCheckpoint(
                    source.checkpoint(),
                    (name, row, column) -> name.equals(broken) && row == 0 && column == 0 ? Float.NaN : 1);
            CheckpointWriter.safetensors(checkpoint, file);
            MattingOptions options = HALF.withBackend(Backend.EMULATED);
            try (Matting matting = Matting.open(file.toString(), options)) {
                PamPath path = broken.contains("connect") ? PamPath.BYPASS_ALL : PamPath.KEEP_ALL;
                MatteRequest request = EXACT.withForcedPath(path);
                Photo small = Scenes.photo(32, 32, 1);
                Trimap unknown = Scenes.unknown(32, 32);
                assertThrows(ArithmeticException.class, () -> matting.matte(small, unknown, request));
            }
        }
    }

    @Test
    void anAllocationThatFailsIsTriedAgainWithLess() {
        Device device = Devices.emulated(EmulatorOptions.sm(80).withFailingAllocation(2));
        try (GpuExecution execution = open("mematte_tiny", HALF, device)) {
            long planned = execution.plan(HEIGHT, WIDTH).peakBytes();
            Matte matte = matte(execution);
            assertTrue(matte.peakBytes() < planned, matte.toString());
            assertEquals(matte.peakBytes(), device.totalBytes() - device.freeBytes());
        }
    }

    @Test
    void anImageThatDoesNotFitLeaksNothingAndTheNextOneWorks() {
        Device device = Devices.emulated(EmulatorOptions.sm(80).withMemory(MEMORY));
        try (GpuExecution execution = open("mematte_tiny", HALF, device)) {
            long free = device.freeBytes();
            Photo large = Scenes.photo(900, 900, 1);
            Trimap unknown = Scenes.disc(900, 900, 1);
            assertThrows(OutOfDeviceMemoryException.class, () -> execution.matte(large, unknown, EXACT));
            assertEquals(free, device.freeBytes());
            assertEquals(HEIGHT, matte(execution).alpha().height());
        }
    }

    @Test
    void weightsThatDoNotFitCloseTheDevice() {
        Device device = Devices.emulated(EmulatorOptions.sm(80).withFailingAllocation(1));
        assertThrows(OutOfDeviceMemoryException.class, () -> open("mematte_tiny", HALF, device));
        assertThrows(IllegalStateException.class, device::freeBytes);
    }

    @Test
    void aFailedLaunchIsNamedAndTheDeviceUnusable() {
        Device device = Devices.emulated(EmulatorOptions.sm(80).withFailingLaunch(7));
        GpuExecution execution = open("mematte_tiny", HALF, device);
        String message =
                assertThrows(DeviceException.class, () -> matte(execution)).getMessage();
        assertTrue(message.matches("(?s).*launching \\w+: \\w+_fp16.*grid \\d+ x .*parameters.*"), message);
        message = assertThrows(DeviceException.class, () -> matte(execution)).getMessage();
        assertTrue(message.contains("cannot be used any more"), message);
        execution.close();
    }

    @Test
    void aCancelledRunLeavesTheDeviceUsable() {
        try (GpuExecution execution = open(EmulatorOptions.sm(80))) {
            Cancellation cancellation = new Cancellation();
            MatteRequest request = EXACT.withCancellation(cancellation).withProgress((name, done, total) -> {
                if (done == total / 2) {
                    cancellation.cancel();
                }
            });
            assertThrows(CancellationException.class, () -> execution.matte(photo, trimap, request));
            assertEquals(HEIGHT, matte(execution).alpha().height());
        }
    }

    /** Larger images take more memory once; later ones none. */
    @Test
    void memoryIsKeptForLaterImages() {
        Device device = Devices.emulated(EmulatorOptions.sm(80));
        try (GpuExecution execution = open("vitmatte_tiny", HALF, device)) {
            matte(execution);
            long free = device.freeBytes();
            execution.matte(Scenes.photo(32, 64, 2), Scenes.disc(32, 64, 2), EXACT);
            assertEquals(free, device.freeBytes());
            Matte larger = execution.matte(Scenes.photo(96, 128, 2), Scenes.disc(96, 128, 2), EXACT);
            assertTrue(device.freeBytes() < free);
            assertEquals(larger.plannedBytes(), device.totalBytes() - device.freeBytes());
        }
    }
}
