package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Precision;
import org.jmatte.StreamType;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.kernels.Arena;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Device memory that large images take, planned for a card of 68 multiprocessors. */
class GpuPlanTest {
    private static final MattingOptions HALF = MattingOptions.defaults().withPrecision(Precision.FP16);

    private static Plan plan(String model, int height, int width, MattingOptions options) {
        return plan(model, height, width, options, 75);
    }

    private static Plan plan(String model, int height, int width, MattingOptions options, int architecture) {
        try (ModelSource source = ModelSource.open("seeded:" + model);
                GpuExecution execution = GpuExecution.withoutWeights(
                        source, options, SharedDevice.of(new PlanningDevice(architecture, 68)))) {
            return execution.plan(height, width);
        }
    }

    /** Megabytes of 10^6 bytes, weights and 8-bit images included, with the default token cap. */
    @ParameterizedTest
    @CsvSource({
        "mematte_s, 2160, 3840, 0.25, 190, 60",
        "mematte_s, 6017, 4872, 0.25, 450, 100",
        "mematte_s, 4320, 7680, 0.25, 490, 110",
        "mematte_b, 2160, 3840, 0.25, 420, 80",
        "mematte_s, 2160, 3840, 1, 215, 60"
    })
    void largeImagesFitSmallCards(String model, int height, int width, double keep, double most, double wider) {
        Plan narrow = plan(model, height, width, HALF.withKeep(keep).withStream(StreamType.FP16));
        Plan wide = plan(model, height, width, HALF.withKeep(keep).withStream(StreamType.FP32));
        System.out.printf(
                "%s %dx%d: %.1f MB, %.1f MB with an fp32 stream, %.3f decoded%n",
                model, height, width, narrow.peakBytes() / 1e6, wide.peakBytes() / 1e6, narrow.decodedShare());
        assertTrue(narrow.peakBytes() <= most * 1e6, "peak " + narrow.peakBytes());
        assertTrue(wide.peakBytes() <= (most + wider) * 1e6, "peak with an fp32 stream " + wide.peakBytes());
        assertTrue(narrow.decodedShare() <= 1.05, "decoded " + narrow.decodedShare());
        assertEquals(narrow.peakBytes(), narrow.weightsBytes() + narrow.arenaBytes());
    }

    /** bf16, which some cards have, keeps to what fp16 with an fp32 stream takes. */
    @ParameterizedTest
    @CsvSource({
        "mematte_s, 2160, 3840, 0.25, 250",
        "mematte_s, 6017, 4872, 0.25, 550",
        "mematte_s, 4320, 7680, 0.25, 600",
        "mematte_b, 2160, 3840, 0.25, 500",
        "mematte_s, 2160, 3840, 1, 275"
    })
    void bf16TakesNoMore(String model, int height, int width, double keep, double most) {
        MattingOptions options =
                MattingOptions.defaults().withPrecision(Precision.BF16).withKeep(keep);
        Plan plan = plan(model, height, width, options, 80);
        assertTrue(plan.peakBytes() <= most * 1e6, "peak " + plan.peakBytes());
    }

    /** Room to repeat bands in fp32 is found within what a run takes that repeats none. */
    @ParameterizedTest
    @CsvSource({"2160, 3840, FP16", "6017, 4872, FP16", "2160, 3840, FP32"})
    void imagesThatOverflowTakeNoMore(int height, int width, StreamType stream) {
        MattingOptions options = HALF.withKeep(0.25).withStream(stream);
        try (ModelSource source = ModelSource.open("seeded:mematte_s")) {
            NetworkSettings network = NetworkSettings.of(source, options);
            Arena sizes = Arena.planning();
            Parameters shapes = new Parameters(network.architecture(), null);
            GpuModel model =
                    GpuModel.of(network, new GpuWeights(shapes, new PlanningDevice(75, 68), sizes, ElementType.FP16));
            Planner planner = new Planner(network, model, sizes.peak(), options, 75, 68);
            Planner.Task task = planner.task(height, width, Byte.SIZE, true, MatteRequest.defaults());
            long watched = Overflow.repeatableFrom(0) | Overflow.repeatableFrom(Overflow.decoder());
            assertTrue(planner.fit(task, 0, watched).peakBytes()
                    <= planner.fit(task, 0, 0).peakBytes());
        }
    }

    /** Megabytes of 10^6 bytes, without a budget and in the smallest. */
    @ParameterizedTest
    @CsvSource({"1024, 1024, 70, 40", "2160, 3840, 400, 195", "6017, 4872, 1400, 650"})
    void pamFitsSmallCards(int height, int width, double most, double least) {
        assertTrue(plan("pam", height, width, HALF).peakBytes() <= most * 1e6);
        long budget = (long) (least * 1e6);
        assertTrue(plan("pam", height, width, HALF.withMemoryBudget(budget)).peakBytes() <= budget);
    }

    @Test
    void budgetsNarrowTheStreamThenTheTilesThenTheTokens() {
        int height = 1080;
        int width = 1920;
        Plan free = plan("mematte_s", height, width, HALF);
        Plan fp16 = plan("mematte_s", height, width, HALF.withStream(StreamType.FP16));
        for (long budget = free.peakBytes(); budget > fp16.peakBytes() * 2 / 3; budget -= free.peakBytes() / 50) {
            Plan plan;
            try {
                plan = plan("mematte_s", height, width, HALF.withMemoryBudget(budget));
            } catch (InvalidInputException e) {
                assertTrue(e.getMessage().contains("need at least"), e.getMessage());
                return;
            }
            assertTrue(plan.peakBytes() <= budget, plan.peakBytes() + " in a budget of " + budget);
            if (budget < fp16.peakBytes()) {
                assertTrue(plan.tiling().startsWith("fp16 stream"), plan.tiling());
            }
        }
    }

    @Test
    void whatABudgetNeedsIsTold() {
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> plan("mematte_s", 2160, 3840, HALF.withMemoryBudget(50_000_000)))
                .getMessage();
        long least = Long.parseLong(message.replaceAll(".*at least (\\d+) bytes.*", "$1"));
        MattingOptions enough = HALF.withMemoryBudget(least);
        Plan plan = plan("mematte_s", 2160, 3840, enough);
        assertTrue(plan.peakBytes() <= least && plan.maxTokens() >= 1, plan.toString());
        assertThrows(
                InvalidInputException.class, () -> plan("mematte_s", 2160, 3840, HALF.withMemoryBudget(least - 1)));
    }

    @Test
    void typesThatDoNotGoTogetherAreRefused() {
        assertThrows(
                InvalidInputException.class,
                () -> plan("mematte_s", 512, 512, MattingOptions.defaults().withPrecision(Precision.BF16)));
        assertThrows(
                InvalidInputException.class,
                () -> plan("mematte_s", 512, 512, MattingOptions.defaults().withStream(StreamType.FP16)));
    }
}
