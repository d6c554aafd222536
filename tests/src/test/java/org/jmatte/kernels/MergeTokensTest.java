package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.jmatte.kernels.MergeTokens.Rows;
import org.junit.jupiter.api.Test;

class MergeTokensTest {
    private static final float EPS = 1e-6f;

    /** Types of the stream and of the others. */
    private record Types(ElementType x, ElementType y) {}

    private static List<Types> types(Device device) {
        List<Types> types =
                new ArrayList<>(List.of(new Types(FP32, FP32), new Types(FP16, FP16), new Types(FP32, FP16)));
        if (device.architecture() >= 80) {
            types.addAll(List.of(new Types(BF16, BF16), new Types(FP32, BF16)));
        }
        return types;
    }

    /**
     * Tokens of which every {@code each}-th is selected, 0 for none; the rows of the other tokens, and those behind the
     * last compact one, are not numbers.
     */
    private record Case(Types types, int tokens, int channels, int each, Rows attention, Rows refinement) {
        private boolean selected(int t) {
            return each > 0 && t % each == 0;
        }

        void run(Device device) {
            Random random = new Random(tokens);
            float[] x = TestMap.uniform(types.x, tokens * channels, 1, 2);
            float[] gate = TestMap.uniform(FP32, channels, 2, 2);
            float[] weight = TestMap.uniform(FP32, channels, 3, 2);
            float[] bias = TestMap.uniform(FP32, channels, 4, 1);
            float[] inverse = new float[tokens];
            float[] attended = new float[tokens * channels];
            float[] refined = new float[tokens * channels];
            Arrays.fill(attended, Float.NaN);
            Arrays.fill(refined, Float.NaN);
            double[] expected = new double[tokens * channels];
            double[] sizes = new double[tokens * channels];
            int ranks = 0;
            int others = 0;
            for (int t = 0; t < tokens; t++) {
                int row;
                if (selected(t)) {
                    inverse[t] = ranks++;
                    row = attention == Rows.COMPACT ? ranks - 1 : t;
                } else {
                    inverse[t] = ~others++;
                    row = refinement == Rows.COMPACT ? others - 1 : t;
                }
                for (int c = 0; c < channels; c++) {
                    float y = TestTensor.round(types.y, random.nextFloat() * 2 - 1);
                    (selected(t) ? attended : refined)[row * channels + c] = y;
                    double add = selected(t) ? y : (double) gate[c] * y;
                    expected[t * channels + c] = x[t * channels + c] + add;
                    sizes[t * channels + c] = Math.abs(x[t * channels + c]) + Math.abs(add);
                }
            }
            try (TestTensor stream = TestTensor.of(device, types.x, x, tokens, channels);
                    TestTensor alone = TestTensor.of(device, types.x, x, tokens, channels);
                    TestTensor out = TestTensor.filled(device, types.y, Float.NaN, tokens, channels);
                    TestTensor apart = TestTensor.filled(device, types.y, Float.NaN, tokens, channels);
                    TestTensor a = TestTensor.of(device, types.y, attended, tokens, channels);
                    TestTensor r = TestTensor.of(device, types.y, refined, tokens, channels);
                    TestTensor g = TestTensor.of(device, FP32, gate, channels);
                    TestTensor i = TestTensor.of(device, I32, inverse, tokens);
                    TestTensor w = TestTensor.of(device, FP32, weight, channels);
                    TestTensor b = TestTensor.of(device, FP32, bias, channels)) {
                MergeTokens.run(
                        device,
                        stream.tensor(),
                        out.tensor(),
                        a.tensor(),
                        attention,
                        r.tensor(),
                        refinement,
                        g.tensor(),
                        i.tensor(),
                        w.tensor(),
                        b.tensor(),
                        EPS,
                        device.defaultStream());
                float[] merged = stream.read();
                Tolerance tolerance = new Tolerance(toString());
                for (int n = 0; n < merged.length; n++) {
                    double allowed = 2 * TestTensor.unit(types.x) * Math.abs(expected[n]) + 1e-6 * sizes[n];
                    tolerance.check(expected[n], merged[n], allowed, n / channels + ", " + n % channels);
                }
                tolerance.report();

                // Without the norm the stream is the same; with it, the result is that of the norm alone.
                MergeTokens.merge(
                        device,
                        alone.tensor(),
                        a.tensor(),
                        attention,
                        r.tensor(),
                        refinement,
                        g.tensor(),
                        i.tensor(),
                        device.defaultStream());
                assertArrayEquals(merged, alone.read());
                LayerNorm.run(
                        device, apart.tensor(), stream.tensor(), w.tensor(), b.tensor(), EPS, device.defaultStream());
                assertArrayEquals(apart.read(), out.read());
            }
        }
    }

    @DeviceTest
    void anySize(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {1, 7, 19, 64, 99, 384, 768, 989}) {
                new Case(types, 19, channels, 3, Rows.IN_PLACE, Rows.IN_PLACE).run(device);
            }
            new Case(types, 99, 128, 4, Rows.COMPACT, Rows.IN_PLACE).run(device);
            new Case(types, 37, 128, 4, Rows.COMPACT, Rows.COMPACT).run(device);
            new Case(types, 37, 19, 2, Rows.IN_PLACE, Rows.COMPACT).run(device);
            new Case(types, 9, 64, 1, Rows.COMPACT, Rows.COMPACT).run(device);
            new Case(types, 9, 64, 0, Rows.COMPACT, Rows.COMPACT).run(device);
            new Case(types, 0, 64, 0, Rows.COMPACT, Rows.COMPACT).run(device);
        }
    }

    /** Attention and refinement may lie in one buffer, and the norm replace them. */
    @DeviceTest
    void oneBufferForAll(Device device) {
        for (int channels : new int[] {19, 64}) {
            float[] y = TestMap.uniform(FP32, 9 * channels, 1, 1);
            float[] inverse = {0, ~0, 1, 2, ~1, ~2, ~3, 3, ~4};
            try (TestTensor x = TestTensor.filled(device, FP32, 1, 9, channels);
                    TestTensor x2 = TestTensor.filled(device, FP32, 1, 9, channels);
                    TestTensor buffer = TestTensor.of(device, FP32, y, 9, channels);
                    TestTensor out = TestTensor.filled(device, FP32, Float.NaN, 9, channels);
                    TestTensor ones = TestTensor.filled(device, FP32, 1.5f, channels);
                    TestTensor i = TestTensor.of(device, I32, inverse, 9)) {
                run(device, x, out, buffer, ones, i);
                run(device, x2, buffer, buffer, ones, i);
                assertArrayEquals(out.read(), buffer.read());
                assertArrayEquals(x.read(), x2.read());
            }
        }
    }

    private static void run(
            Device device, TestTensor x, TestTensor out, TestTensor y, TestTensor vector, TestTensor inverse) {
        MergeTokens.run(
                device,
                x.tensor(),
                out.tensor(),
                y.tensor(),
                Rows.IN_PLACE,
                y.tensor(),
                Rows.IN_PLACE,
                vector.tensor(),
                inverse.tensor(),
                vector.tensor(),
                vector.tensor(),
                EPS,
                device.defaultStream());
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (Types types : types(device)) {
                new Case(types, 11, 40, 3, Rows.COMPACT, Rows.IN_PLACE).run(device);
                new Case(types, 5, 19, 2, Rows.IN_PLACE, Rows.COMPACT).run(device);
            }
            oneBufferForAll(device);
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    private static Tensor at(int megabytes, ElementType type, long... shape) {
        return Tensor.wrap((long) megabytes << 20, type, shape);
    }

    @Test
    void countsWhatItMoves() {
        Tensor vector = tensor(FP32, 384);
        Launch launch = new MergeTokens.Call(
                        at(1, FP32, 99, 384),
                        at(2, FP16, 99, 384),
                        at(3, FP16, 7, 384),
                        Rows.COMPACT,
                        at(4, FP16, 99, 384),
                        Rows.IN_PLACE,
                        vector,
                        tensor(I32, 99),
                        vector,
                        vector,
                        EPS)
                .launch();
        assertEquals("merge_tokens_fp32_fp16", launch.kernel());
        assertEquals(13, launch.gridX());
        assertEquals(99 * 384 * (8 + 2 + 2) + 3 * 384 * 4 + 99 * 4, launch.bytes());
        assertEquals(99 * 384 * 9, launch.flops());
    }

    private static void refuses(
            String message, Tensor x, Tensor out, Tensor attention, Rows rows, Tensor refinement, Tensor inverse) {
        Consumer<Device> call = d -> MergeTokens.run(
                d,
                x,
                out,
                attention,
                rows,
                refinement,
                Rows.IN_PLACE,
                tensor(FP32, 64),
                inverse,
                tensor(FP32, 64),
                tensor(FP32, 64),
                EPS,
                d.defaultStream());
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(
                    "merge_tokens: " + message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    @Test
    void refusals() {
        Tensor x = at(1, FP16, 9, 64);
        Tensor out = at(2, FP16, 9, 64);
        Tensor a = at(3, FP16, 9, 64);
        Tensor r = at(4, FP16, 9, 64);
        Tensor inverse = tensor(I32, 9);
        refuses("x: expected [N, C], got [9] fp16", at(1, FP16, 9), out, a, Rows.IN_PLACE, r, inverse);
        refuses("out: expected a value, got null", x, null, a, Rows.IN_PLACE, r, inverse);
        refuses("attention: expected fp16, got [9, 64] fp32", x, out, at(3, FP32, 9, 64), Rows.IN_PLACE, r, inverse);
        refuses(
                "attention: expected [N, C] = [9, 64] fp16, got [7, 64] fp16",
                x,
                out,
                at(3, FP16, 7, 64),
                Rows.IN_PLACE,
                r,
                inverse);
        refuses("attentionRows: expected a value, got null", x, out, a, null, r, inverse);
        refuses(
                "refinement: expected [N, C] = [9, 64] fp16, got [9, 63] fp16",
                x,
                out,
                a,
                Rows.IN_PLACE,
                at(4, FP16, 9, 63),
                inverse);
        refuses("inverse: expected [N] = [9] i32, got [8] i32", x, out, a, Rows.IN_PLACE, r, tensor(I32, 8));
        refuses(
                "x: expected memory apart from attention's, got memory that overlaps it",
                x,
                out,
                x,
                Rows.IN_PLACE,
                r,
                inverse);
        refuses(
                "out: expected memory apart from attention's, got memory that overlaps it",
                x,
                a,
                a,
                Rows.COMPACT,
                r,
                inverse);
        refuses(
                "out: expected an address that is a multiple of 16, got 0x200002",
                x,
                Tensor.wrap((2 << 20) + 2, FP16, 9, 64),
                a,
                Rows.IN_PLACE,
                r,
                inverse);
    }
}
