package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenRoutingTest {
    // ---------------------------------------------------------------- the pooled half

    private static void pool(Device device, ElementType from, ElementType to, int rows, int channels) {
        int half = channels / 2;
        int parts = (int) TokenRouting.partialRows(rows);
        float[] hidden = TestMap.uniform(from, rows * channels, 1, 3);
        Tolerance tolerance = new Tolerance("pool " + rows + " x " + channels + " " + from);
        try (TestTensor h = TestTensor.of(device, from, hidden, rows, channels);
                TestTensor partial = TestTensor.filled(device, FP32, Float.NaN, parts, half);
                TestTensor local = TestTensor.filled(device, to == null ? from : to, Float.NaN, rows, half)) {
            TokenRouting.pool(
                    device, to == null ? null : local.tensor(), partial.tensor(), h.tensor(), device.defaultStream());
            float[] sums = partial.read();
            float[] copied = local.read();
            for (int c = 0; c < half; c++) {
                for (int part = 0; part < parts; part++) {
                    double sum = 0;
                    double size = 0;
                    for (int r = part * 128; r < Math.min(rows, part * 128 + 128); r++) {
                        sum += hidden[r * channels + half + c];
                        size += Math.abs(hidden[r * channels + half + c]);
                    }
                    tolerance.check(sum, sums[part * half + c], 1e-5 * size, part + ", " + c);
                }
                for (int r = 0; r < rows; r++) {
                    float expected = to == null ? Float.NaN : TestTensor.round(to, hidden[r * channels + c]);
                    assertEquals(expected, copied[r * half + c]);
                }
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void poolsAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int rows : new int[] {1, 7, 99, 128, 129, 300}) {
                for (int channels : new int[] {2, 38, 64, 128, 384}) {
                    pool(device, type, rows == 99 ? null : type, rows, channels);
                }
            }
            pool(device, FP32, type, 131, 64);
        }
    }

    @DeviceTest
    void meansAndFolds(Device device) {
        Tolerance tolerance = new Tolerance("mean and fold");
        for (int channels : new int[] {1, 19, 64, 192}) {
            for (int parts : new int[] {1, 7, 16, 100}) {
                int outputs = channels / 2 + 1;
                int stride = 2 * channels;
                float[] partial = TestMap.uniform(FP32, parts * channels, 1, 100);
                float[] weight = TestMap.uniform(FP32, outputs * stride, 2, 1);
                float[] bias = TestMap.uniform(FP32, outputs, 3, 1);
                try (TestTensor p = TestTensor.of(device, FP32, partial, parts, channels);
                        TestTensor w = TestTensor.of(device, FP32, weight, outputs, stride);
                        TestTensor b = TestTensor.of(device, FP32, bias, outputs);
                        TestTensor m = TestTensor.filled(device, FP32, Float.NaN, channels);
                        TestTensor f = TestTensor.filled(device, FP32, Float.NaN, outputs)) {
                    TokenRouting.mean(device, m.tensor(), p.tensor(), parts * 100L, device.defaultStream());
                    float[] means = m.read();
                    for (int c = 0; c < channels; c++) {
                        double sum = 0;
                        for (int part = 0; part < parts; part++) {
                            sum += partial[part * channels + c];
                        }
                        tolerance.check(sum / (parts * 100), means[c], 1e-5, parts + ", " + c);
                    }
                    TokenRouting.fold(device, f.tensor(), w.tensor(), b.tensor(), m.tensor(), device.defaultStream());
                    float[] folded = f.read();
                    for (int o = 0; o < outputs; o++) {
                        double sum = bias[o];
                        double size = Math.abs(sum);
                        for (int c = 0; c < channels; c++) {
                            double product = (double) weight[o * stride + channels + c] * means[c];
                            sum += product;
                            size += Math.abs(product);
                        }
                        tolerance.check(sum, folded[o], 1e-5 * size, "output " + o);
                    }
                }
            }
        }
        tolerance.report();
    }

    // ---------------------------------------------------------------- margins

    private static void margins(Device device, ElementType type, int rows, int channels) {
        float[] y = TestMap.uniform(type, rows * channels, 1, 2);
        float[] weight = TestMap.uniform(FP32, channels, 2, 1);
        Tolerance tolerance = new Tolerance("margins " + rows + " x " + channels + " " + type);
        try (TestTensor in = TestTensor.of(device, type, y, rows, channels);
                TestTensor w = TestTensor.of(device, FP32, weight, channels);
                TestTensor out = TestTensor.filled(device, FP32, Float.NaN, rows)) {
            TokenRouting.margins(device, out.tensor(), in.tensor(), w.tensor(), 0.25f, device.defaultStream());
            float[] got = out.read();
            for (int r = 0; r < rows; r++) {
                double sum = 0.25;
                double size = 0.25;
                for (int c = 0; c < channels; c++) {
                    double product = (double) y[r * channels + c] * weight[c];
                    sum += product;
                    size += Math.abs(product);
                }
                tolerance.check(sum, got[r], 1e-5 * size, "row " + r);
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void marginsOfAnySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int channels : new int[] {1, 7, 32, 96, 99, 192, 500}) {
                margins(device, type, 37, channels);
            }
            margins(device, type, 1, 96);
            margins(device, type, 0, 96);
            margins(device, type, 989, 96);
        }
    }

    // ---------------------------------------------------------------- selection

    /** What select and force leave. */
    private record Chosen(int[] selected, int[] rest, int[] inverse, int[] result) {}

    private static int[] ints(TestTensor tensor) {
        float[] values = tensor.read();
        return IntStream.range(0, values.length).map(i -> (int) values[i]).toArray();
    }

    /** Runs the kernels; exactly one of margins and flags is there. */
    private static Chosen choose(Device device, float[] margins, float[] flags, int cap) {
        int tokens = margins == null ? flags.length : margins.length;
        long bytes = TokenRouting.scratchBytes(tokens);
        try (TestTensor selected = TestTensor.filled(device, I32, -1000000, cap);
                TestTensor rest = TestTensor.filled(device, I32, -1000000, tokens);
                TestTensor inverse = TestTensor.filled(device, I32, -1000000, tokens);
                TestTensor result = TestTensor.filled(device, I32, -1000000, 4);
                TestTensor in = margins == null
                        ? TestTensor.of(device, U8, flags, tokens)
                        : TestTensor.of(device, FP32, margins, tokens);
                TestTensor scratch = TestTensor.filled(device, U8, 77, bytes)) {
            if (margins == null) {
                TokenRouting.force(
                        device,
                        selected.tensor(),
                        rest.tensor(),
                        inverse.tensor(),
                        result.tensor(),
                        in.tensor(),
                        scratch.tensor(),
                        device.defaultStream());
            } else {
                TokenRouting.select(
                        device,
                        selected.tensor(),
                        rest.tensor(),
                        inverse.tensor(),
                        result.tensor(),
                        in.tensor(),
                        scratch.tensor(),
                        device.defaultStream());
            }
            scratch.read();
            int[] numbers = ints(result);
            int[] kept = ints(selected);
            int[] others = ints(rest);
            for (int i = numbers[0]; i < cap; i++) {
                assertEquals(-1000000, kept[i], "nothing is written behind the last");
            }
            for (int i = numbers[1]; i < tokens; i++) {
                assertEquals(-1000000, others[i], "nothing is written behind the last");
            }
            return new Chosen(
                    Arrays.copyOf(kept, numbers[0]), Arrays.copyOf(others, numbers[1]), ints(inverse), numbers);
        }
    }

    private static void checkChoice(Chosen got, boolean[] keep, int error, float threshold, String what) {
        int[] selected = IntStream.range(0, keep.length).filter(n -> keep[n]).toArray();
        int[] rest = IntStream.range(0, keep.length).filter(n -> !keep[n]).toArray();
        int[] inverse = new int[keep.length];
        for (int i = 0; i < selected.length; i++) {
            inverse[selected[i]] = i;
        }
        for (int i = 0; i < rest.length; i++) {
            inverse[rest[i]] = ~i;
        }
        int bits = (int) (float) Float.floatToRawIntBits(threshold); // as the tensor's reader converts it
        assertArrayEquals(new int[] {selected.length, rest.length, error, bits}, got.result, what + ": result");
        assertArrayEquals(selected, got.selected, what + ": selected");
        assertArrayEquals(rest, got.rest, what + ": rest");
        assertArrayEquals(inverse, got.inverse, what + ": inverse");
    }

    private static void select(Device device, float[] margins, int cap) {
        Integer[] positive = IntStream.range(0, margins.length)
                .filter(n -> margins[n] > 0)
                .boxed()
                .sorted(Comparator.comparing((Integer n) -> -margins[n]).thenComparing(n -> n))
                .toArray(Integer[]::new);
        boolean[] keep = new boolean[margins.length];
        boolean invalid = false;
        for (float margin : margins) {
            invalid |= Float.isNaN(margin);
        }
        for (int i = 0; i < Math.min(cap, positive.length); i++) {
            keep[positive[i]] = true;
        }
        boolean decides = positive.length > cap;
        float threshold = !decides ? 0 : cap == 0 ? Float.intBitsToFloat(0x7fffffff) : margins[positive[cap - 1]];
        Chosen got = choose(device, margins, null, cap);
        checkChoice(
                got, keep, invalid ? TokenRouting.NOT_A_NUMBER : 0, threshold, margins.length + " tokens, cap " + cap);
    }

    /** Margins with ties, zeros of both signs, and numbers of all sizes. */
    private static float[] margins(int tokens, int levels, long seed) {
        Random random = new Random(seed);
        float[] margins = new float[tokens];
        for (int n = 0; n < tokens; n++) {
            margins[n] = switch (random.nextInt(20)) {
                case 0 -> 0f;
                case 1 -> -0f;
                case 2 -> Float.MIN_VALUE * random.nextInt(4);
                case 3 -> random.nextInt(9) == 0 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
                case 4 -> (float) Math.exp(80 * random.nextGaussian());
                default ->
                    levels == 0
                            ? (float) random.nextGaussian()
                            : (random.nextInt(2 * levels + 1) - levels) / (float) levels;
            };
        }
        return margins;
    }

    @DeviceTest
    void selectsTheLargest(Device device) {
        for (int tokens : new int[] {1, 7, 500, 1023, 1024, 1025, 3000}) {
            for (int levels : new int[] {0, 3}) {
                float[] margins = margins(tokens, levels, tokens + levels);
                int positive = 0;
                for (float margin : margins) {
                    positive += margin > 0 ? 1 : 0;
                }
                int[] caps = {0, 1, tokens / 4, positive - 1, positive, positive + 1, tokens, tokens + 5};
                for (int cap : caps) {
                    if (cap >= 0) {
                        select(device, margins, cap);
                    }
                }
            }
        }
    }

    @DeviceTest
    void selectsAllNoneAndEqual(Device device) {
        float[] margins = new float[1100];
        for (float value : new float[] {1, -1, 0, -0f, Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
            Arrays.fill(margins, value);
            for (int cap : new int[] {0, 1, 1050, 1099, 1100}) {
                select(device, margins, cap);
            }
        }
        // Neighbouring numbers, which only the last digit tells apart.
        for (int n = 0; n < margins.length; n++) {
            margins[n] = Float.intBitsToFloat(0x3f800000 + n * 7 % 1100);
        }
        select(device, margins, 333);
    }

    @DeviceTest
    void reportsWhatIsNotANumber(Device device) {
        for (int at : new int[] {0, 1500, 2099}) {
            for (int cap : new int[] {10, 5000}) {
                float[] margins = margins(2100, 0, 5);
                margins[at] = Float.intBitsToFloat(at == 0 ? 0xffc00000 : 0x7fc00001);
                select(device, margins, cap);
            }
        }
    }

    @DeviceTest
    void forces(Device device) {
        Random random = new Random(3);
        for (int tokens : new int[] {1, 99, 1024, 2500}) {
            float[] flags = new float[tokens];
            boolean[] keep = new boolean[tokens];
            int count = 0;
            for (int n = 0; n < tokens; n++) {
                keep[n] = random.nextInt(3) == 0;
                flags[n] = keep[n] ? 1 + random.nextInt(255) : 0;
                count += keep[n] ? 1 : 0;
            }
            checkChoice(choose(device, null, flags, count), keep, 0, 0, tokens + " tokens");
            checkChoice(choose(device, null, flags, tokens), keep, 0, 0, tokens + " tokens");
            if (count > 1) {
                int left = count / 2;
                for (int n = 0; n < tokens; n++) {
                    keep[n] = keep[n] && left-- > 0;
                }
                checkChoice(choose(device, null, flags, count / 2), keep, TokenRouting.TOO_MANY, 0, "too many");
            }
        }
    }

    /** The lists need not include the others. */
    @DeviceTest
    void selectsWithoutTheRest(Device device) {
        float[] margins = margins(1500, 0, 9);
        Chosen expected = choose(device, margins, null, 100);
        try (TestTensor selected = TestTensor.filled(device, I32, -1, 100);
                TestTensor inverse = TestTensor.filled(device, I32, -1, 1500);
                TestTensor result = TestTensor.filled(device, I32, -1, 4);
                TestTensor in = TestTensor.of(device, FP32, margins, 1500);
                TestTensor scratch = TestTensor.filled(device, U8, 1, TokenRouting.scratchBytes(1500))) {
            TokenRouting.select(
                    device,
                    selected.tensor(),
                    null,
                    inverse.tensor(),
                    result.tensor(),
                    in.tensor(),
                    scratch.tensor(),
                    device.defaultStream());
            assertArrayEquals(expected.selected, ints(selected));
            assertArrayEquals(expected.inverse, ints(inverse));
        }
    }

    // ---------------------------------------------------------------- rows

    private static void move(Device device, ElementType type, int tokens, int rows, int channels, Integer count) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, tokens).boxed().toList());
        java.util.Collections.shuffle(order, new Random(rows));
        float[] index = new float[rows];
        for (int r = 0; r < rows; r++) {
            index[r] = order.get(r);
        }
        int moved = count == null ? rows : count;
        float[] x = TestMap.uniform(type, tokens * channels, 1, 1);
        try (TestTensor all = TestTensor.of(device, type, x, tokens, channels);
                TestTensor picked = TestTensor.filled(device, type, 9, rows, channels);
                TestTensor back = TestTensor.filled(device, type, 7, tokens, channels);
                TestTensor i = TestTensor.of(device, I32, index, rows);
                TestTensor number = TestTensor.filled(device, I32, moved, 1)) {
            Tensor n = count == null ? null : number.tensor();
            TokenRouting.gather(device, picked.tensor(), all.tensor(), i.tensor(), n, device.defaultStream());
            float[] expected = new float[rows * channels];
            Arrays.fill(expected, 9);
            for (int r = 0; r < moved; r++) {
                System.arraycopy(x, (int) index[r] * channels, expected, r * channels, channels);
            }
            assertArrayEquals(expected, picked.read());
            TokenRouting.scatter(device, back.tensor(), picked.tensor(), i.tensor(), n, device.defaultStream());
            float[] scattered = new float[tokens * channels];
            Arrays.fill(scattered, 7);
            for (int r = 0; r < moved; r++) {
                System.arraycopy(expected, r * channels, scattered, (int) index[r] * channels, channels);
            }
            assertArrayEquals(scattered, back.read());
        }
    }

    @DeviceTest
    void movesRows(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int channels : new int[] {1, 7, 8, 99, 384}) {
                move(device, type, 111, 1, channels, null);
                move(device, type, 111, 99, channels, null);
                move(device, type, 111, 99, channels, 37);
                move(device, type, 19, 19, channels, 0);
            }
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            pool(device, FP16, FP16, 130, 64);
            pool(device, FP32, FP16, 30, 38);
            margins(device, FP16, 37, 24);
            margins(device, FP32, 5, 7);
            select(device, margins(1100, 3, 1), 77);
            select(device, margins(1100, 0, 2), 2000);
            move(device, FP16, 19, 9, 24, 5);
            move(device, FP32, 19, 9, 7, null);
            forces(device);
            meansAndFolds(device);
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    private static Tensor apart(ElementType type, long... shape) {
        return Tensor.wrap(1 << 30, type, shape);
    }

    @Test
    void countsWhatItMoves() {
        Launch move =
                TokenRouting.moveLaunch("gather", tensor(FP16, 99, 384), tensor(FP16, 989, 384), tensor(I32, 99), null);
        assertEquals("token_routing_gather", move.kernel());
        assertEquals(4, move.gridX());
        assertEquals(2 * 99 * 768 + 99 * 4, move.bytes());
        TokenRouting.Selection selection = new TokenRouting.Selection(
                tensor(I32, 100),
                tensor(I32, 5000),
                tensor(I32, 5000),
                tensor(I32, 4),
                tensor(FP32, 5000),
                null,
                tensor(U8, TokenRouting.scratchBytes(5000)));
        assertEquals(
                List.of(
                        "token_routing_histogram_fp32",
                        "token_routing_histogram_fp32",
                        "token_routing_histogram_fp32",
                        "token_routing_count_fp32",
                        "token_routing_write_fp32"),
                selection.launches().stream().map(Launch::kernel).toList());
        Launch margins = TokenRouting.marginsLaunch(tensor(FP32, 99), tensor(FP16, 99, 96), tensor(FP32, 96), 0);
        assertEquals(2 * 99 * 96, margins.flops());
        assertEquals(99 * 96 * 2 + 99 * 4 + 96 * 4, margins.bytes());
    }

    private static void refuses(String message, Consumer<Device> call) {
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(
                    "token_routing: " + message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    @Test
    void refusals() {
        refuses(
                "C: expected an even number, got 63",
                d -> TokenRouting.pool(d, null, tensor(FP32, 1, 31), tensor(FP16, 9, 63), d.defaultStream()));
        refuses(
                "partial: expected [ceil(N/128), C/2] = [2, 32] fp32, got [1, 32] fp32",
                d -> TokenRouting.pool(d, null, tensor(FP32, 1, 32), tensor(FP16, 129, 64), d.defaultStream()));
        refuses(
                "local: expected fp16, got [9, 32] fp32",
                d -> TokenRouting.pool(
                        d, apart(FP32, 9, 32), tensor(FP32, 1, 32), tensor(FP16, 9, 64), d.defaultStream()));
        refuses(
                "mean: expected [C] = [32] fp32, got [31] fp32",
                d -> TokenRouting.mean(d, tensor(FP32, 31), tensor(FP32, 3, 32), 9, d.defaultStream()));
        refuses(
                "tokens: expected 1 to 2147479551, got 0",
                d -> TokenRouting.mean(d, apart(FP32, 32), tensor(FP32, 3, 32), 0, d.defaultStream()));
        refuses(
                "P: expected 33 to 2147479551, got 32",
                d -> TokenRouting.fold(
                        d, apart(FP32, 9), tensor(FP32, 9, 32), tensor(FP32, 9), tensor(FP32, 33), d.defaultStream()));
        refuses(
                "margin: expected [N] = [9] fp32, got [9] fp16",
                d -> TokenRouting.margins(
                        d, tensor(FP16, 9), tensor(FP16, 9, 32), tensor(FP32, 32), 0, d.defaultStream()));
        refuses(
                "inverse: expected [N] = [9] i32, got [8] i32",
                d -> TokenRouting.select(
                        d,
                        tensor(I32, 3),
                        null,
                        tensor(I32, 8),
                        tensor(I32, 4),
                        tensor(FP32, 9),
                        tensor(U8, 99999),
                        d.defaultStream()));
        refuses(
                "bytes of scratch: expected 24608 to 9223372036854775807, got 99",
                d -> TokenRouting.select(
                        d,
                        tensor(I32, 3),
                        null,
                        tensor(I32, 9),
                        tensor(I32, 4),
                        tensor(FP32, 9),
                        tensor(U8, 99),
                        d.defaultStream()));
        refuses(
                "flags: expected [N] u8, got [9] fp32",
                d -> TokenRouting.force(
                        d,
                        tensor(I32, 3),
                        null,
                        tensor(I32, 9),
                        tensor(I32, 4),
                        tensor(FP32, 9),
                        tensor(U8, 99999),
                        d.defaultStream()));
        refuses(
                "out: expected [R, C] = [4, 8] fp16, got [5, 8] fp16",
                d -> TokenRouting.gather(
                        d, apart(FP16, 5, 8), tensor(FP16, 9, 8), tensor(I32, 4), null, d.defaultStream()));
        refuses(
                "x: expected [R, C] = [4, *], got [9, 8] fp16",
                d -> TokenRouting.scatter(
                        d, apart(FP16, 5, 8), tensor(FP16, 9, 8), tensor(I32, 4), null, d.defaultStream()));
        refuses(
                "x: expected elements of 2 or 4 bytes, got [4, 8] u8",
                d -> TokenRouting.scatter(
                        d, apart(U8, 5, 8), tensor(U8, 4, 8), tensor(I32, 4), null, d.defaultStream()));
    }
}
