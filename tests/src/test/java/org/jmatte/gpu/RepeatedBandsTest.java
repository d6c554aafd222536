package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jmatte.MatteRequest;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.Geometry;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Layers of which some bands pass what fp16 holds: only those are repeated, and the result is that of fp32. */
class RepeatedBandsTest {
    private static final int GRID_HEIGHT = 30;
    private static final int GRID_WIDTH = 10;
    private static final int TOKENS = GRID_HEIGHT * GRID_WIDTH;
    private static final int CHANNELS = 128;
    private static final Geometry GEOMETRY = Geometry.of(16 * GRID_HEIGHT, 16 * GRID_WIDTH, true, true);
    /** Chunks of 128 tokens, bands of one row of windows and of four token rows. */
    private static final Tiling SMALL = new Tiling(0, 128, 1, 4, 16, false);

    private static final Types EXACT = new Types(ElementType.FP32, ElementType.FP32);
    private static final long WEIGHTS_BYTES = 16 << 20;
    private static final float LARGEST = 65504;
    /** One of the channels between two products. */
    private static final int UNIT = 7;

    /** A layer on its weights: from a run and the stream to what is looked at. */
    private interface Layer extends BiFunction<GpuRun, Tensor, Tensor> {}

    private static Layer inPlace(BiConsumer<GpuRun, Tensor> layer) {
        return (run, x) -> {
            layer.accept(run, x);
            return x;
        };
    }

    /** What a layer makes of a stream, and what it logs meanwhile. */
    private record Outcome(float[] values, List<String> repeated) {
        private static final Pattern REPEATED = Pattern.compile("WARN (.*): numbers pass what fp16 holds; repeated");

        static Outcome of(
                Function<GpuWeights, Layer> layer, ScaledCheckpoint.Factor factor, Types types, int place, float[] x) {
            EmulatorOptions options = EmulatorOptions.sm(80);
            try (ModelSource source = ModelSource.open("seeded:mematte_tiny");
                    Device device = Devices.emulated(options);
                    DeviceBuffer memory = device.allocate(WEIGHTS_BYTES)) {
                Parameters parameters =
                        new Parameters(source.architecture(), new ScaledCheckpoint(source.checkpoint(), factor));
                Layer layers = layer.apply(new GpuWeights(parameters, device, Arena.of(memory), types.operands()));
                Settings settings = new Settings(types, SMALL, types == EXACT ? 0 : 1L << place);
                PlanningDevice nowhere = new PlanningDevice(80, device.multiprocessors());
                GpuRun plan = GpuRun.planning(nowhere, GEOMETRY, settings, MatteRequest.defaults(), true);
                layers.apply(plan, plan.take(types.stream(), TOKENS, CHANNELS));
                Lane lane = new Lane(device);
                lane.reserve(plan.arena().peak());
                GpuRun run = GpuRun.computing(plan, lane);
                Tensor stream = run.take(types.stream(), TOKENS, CHANNELS);
                device.copyToDevice(stream.pointer(), Numbers.bytes(x, types.stream()), run.stream());
                float[] values = new float[TOKENS * CHANNELS];
                String log =
                        logged(() -> run.readFloats(layers.apply(run, stream)).get(values));
                assertEquals(0, run.overflows());
                assertEquals(plan.arena().peak(), run.arena().peak());
                lane.free();
                List<String> repeated = REPEATED.matcher(log)
                        .results()
                        .map(match -> match.group(1))
                        .toList();
                assertEquals(repeated.isEmpty() ? 0 : 1L << place, run.repeated());
                return new Outcome(values, repeated);
            }
        }

        private static String logged(Runnable work) {
            PrintStream before = System.err;
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            try {
                work.run();
            } finally {
                System.setErr(before);
            }
            return bytes.toString(StandardCharsets.UTF_8);
        }
    }

    /** Asserts that a layer in fp16 repeats these bands and no others, and makes what it makes in fp32. */
    private static void assertRepeated(
            List<String> bands,
            Function<GpuWeights, Layer> layer,
            ScaledCheckpoint.Factor factor,
            ElementType stream,
            int place,
            float[] x) {
        Outcome exact = Outcome.of(layer, factor, EXACT, place, x);
        Outcome outcome = Outcome.of(layer, factor, new Types(ElementType.FP16, stream), place, x);
        assertEquals(bands, outcome.repeated);
        for (int t = 0; t < TOKENS; t++) {
            float largest = 0;
            float worst = 0;
            for (int i = t * CHANNELS; i < (t + 1) * CHANNELS; i++) {
                largest = Math.max(largest, Math.abs(exact.values[i]));
                worst = Math.max(worst, Math.abs(exact.values[i] - outcome.values[i]));
            }
            assertTrue(worst <= 0.01 * (1 + largest), "token " + t + " differs by " + worst + " of " + largest);
        }
    }

    private static float[] random(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /**
     * A stream whose norm excites one row of a product in some tokens only.
     *
     * @param factor of the row, so that it takes what it makes of those, and of no others, past what fp16 holds
     */
    private record Excited(float[] x, float factor) {
        static Excited of(String norm, String layer, int row, int first, int end) {
            try (ModelSource source = ModelSource.open("seeded:mematte_tiny")) {
                Parameters parameters = new Parameters(source.architecture(), source.checkpoint());
                float[] scale = parameters.values(norm + ".weight");
                float[] weights = parameters.values(layer + ".weight");
                double mean = 0;
                double[] direction = new double[CHANNELS];
                for (int c = 0; c < CHANNELS; c++) {
                    direction[c] = scale[c] * weights[row * CHANNELS + c];
                    mean += direction[c] / CHANNELS;
                }
                double square = 0;
                for (int c = 0; c < CHANNELS; c++) {
                    direction[c] -= mean;
                    square += direction[c] * direction[c];
                }
                float[] x = random(TOKENS * CHANNELS);
                for (int t = 0; t < TOKENS; t++) {
                    double along = 0;
                    for (int c = 0; c < CHANNELS; c++) {
                        along += x[t * CHANNELS + c] * direction[c] / square;
                    }
                    for (int c = 0; c < CHANNELS; c++) {
                        float quiet = (float) (x[t * CHANNELS + c] - along * direction[c]);
                        float loud = (float) (direction[c] / Math.sqrt(square / CHANNELS));
                        x[t * CHANNELS + c] = t >= first && t < end ? loud : quiet;
                    }
                }
                // The norm of the direction has squares of 1 on average.
                return new Excited(x, (float) (4 * LARGEST / Math.sqrt(square * CHANNELS)));
            }
        }
    }

    /** One hidden unit is large in some tokens; nothing reads it. */
    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"FP32", "FP16"})
    void chunksOfTheMlp(ElementType stream) {
        Excited excited = Excited.of("backbone.blocks.1.norm2", "backbone.blocks.1.mlp.fc1", UNIT, 130, 140);
        ScaledCheckpoint.Factor factor = (name, row, column) -> {
            if (name.endsWith("blocks.1.mlp.fc1.weight") && row == UNIT) {
                return excited.factor;
            }
            return name.endsWith("blocks.1.mlp.fc2.weight") && column == UNIT ? 0 : 1;
        };
        assertRepeated(
                List.of("block 1 mlp, tokens 128 to 255"),
                weights -> inPlace(new Mlp(weights, 1)::run),
                factor,
                stream,
                Overflow.hidden(1),
                excited.x);
    }

    /** One channel of the values is large in some tokens; the projection does not read it. */
    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"FP32", "FP16"})
    void bandsOfWindows(ElementType stream) {
        int row = 2 * CHANNELS + UNIT;
        Excited excited = Excited.of("backbone.blocks.3.norm1", "backbone.blocks.3.attn.qkv", row, 150, 160);
        ScaledCheckpoint.Factor factor = (name, r, column) -> {
            if (name.endsWith("blocks.3.attn.qkv.weight") && r == row) {
                return excited.factor;
            }
            return name.endsWith("blocks.3.attn.proj.weight") && column == UNIT ? 0 : 1;
        };
        assertRepeated(
                List.of("block 3 window attention, tokens 140 to 279"),
                weights -> inPlace(new LocalAttention(weights, 3)::run),
                factor,
                stream,
                Overflow.mixing(3),
                excited.x);
    }

    /** Rows 8 and 9 of the grid are loud; the band above reads them too. */
    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"FP32", "FP16"})
    void bandsOfTheRefinement(ElementType stream) {
        float[] x = random(TOKENS * CHANNELS);
        for (int i = 8 * GRID_WIDTH * CHANNELS; i < 10 * GRID_WIDTH * CHANNELS; i++) {
            x[i] *= 300;
        }
        ScaledCheckpoint.Factor factor = (name, row, column) -> {
            if (name.contains("blocks.2.efficient_block.fc1")) {
                return 3000;
            }
            return name.endsWith("blocks.2.efficient_block.dwconv.weight") ? 1 / 3000f : 1;
        };
        assertRepeated(
                List.of("block 2 refinement, token rows 4 to 7", "block 2 refinement, token rows 8 to 11"),
                weights -> {
                    Refinement refinement = new Refinement(weights, 2);
                    return (run, tokens) -> {
                        Tensor y = run.take(TOKENS, CHANNELS);
                        refinement.run(run, tokens, y, run.take(ElementType.FP32, CHANNELS));
                        return y;
                    };
                },
                factor,
                stream,
                Overflow.mixing(2),
                x);
    }

    /** Some of the stream is no fp16 number. */
    @Test
    void chunksOfTheBottleneck() {
        float[] x = random(TOKENS * CHANNELS);
        for (int i = 130 * CHANNELS; i < 140 * CHANNELS; i++) {
            x[i] *= 1e5f;
        }
        assertRepeated(
                List.of("block 2 bottleneck, tokens 128 to 255"),
                weights -> inPlace(new Bottleneck(weights, 2)::run),
                (name, row, column) -> 1,
                ElementType.FP32,
                Overflow.bottleneck(2),
                x);
    }
}
