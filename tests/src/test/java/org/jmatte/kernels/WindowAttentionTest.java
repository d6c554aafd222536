package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jmatte.kernels.AttentionReference.Row;
import org.junit.jupiter.api.Test;

class WindowAttentionTest {
    private static final int DEPTH = AttentionReference.DEPTH;
    private static final int WINDOW = WindowAttention.WINDOW;
    private static final float UNTOUCHED = 7.5f;

    private record Case(ElementType type, int height, int width, int heads, double size) {
        private float[] qkv() {
            return TestMap.uniform(type, height * width * 3 * heads * DEPTH, 31L * height + width, size);
        }

        void run(Device device) {
            float[] qkv = qkv();
            verify(qkv, launch(device, qkv, 0, height));
        }

        /** Bias and tables come from fixed seeds, the bias in full precision. */
        private float[] bias() {
            return TestMap.uniform(FP32, 3 * heads * DEPTH, 1, size);
        }

        private float[] rel(int seed) {
            return TestMap.uniform(type, (2 * WINDOW - 1) * DEPTH, seed, 0.5);
        }

        /** The rows from `first` to `end` as a grid of their own. */
        float[] launch(Device device, float[] qkv, int first, int end) {
            try (TestTensor in = TestTensor.of(device, type, qkv, (long) height * width, 3, heads, DEPTH);
                    TestTensor b = TestTensor.of(device, FP32, bias(), 3, heads, DEPTH);
                    TestTensor h = TestTensor.of(device, type, rel(2), 2 * WINDOW - 1, DEPTH);
                    TestTensor w = TestTensor.of(device, type, rel(3), 2 * WINDOW - 1, DEPTH);
                    TestTensor out = TestTensor.filled(device, type, UNTOUCHED, (long) height * width, heads * DEPTH)) {
                long rows = (long) (end - first) * width;
                WindowAttention.run(
                        device,
                        out.tensor().rows((long) first * width, rows),
                        in.tensor().rows((long) first * width, rows),
                        b.tensor(),
                        h.tensor(),
                        w.tensor(),
                        end - first,
                        width,
                        device.defaultStream());
                return out.read();
            }
        }

        void verify(float[] qkv, float[] got) {
            AttentionCheck check = new AttentionCheck(type, toString());
            float[] outside = TestTensor.round(type, bias());
            float[] relH = rel(2);
            float[] relW = rel(3);
            for (int i = 0; i < height * width; i++) {
                int y = i / width;
                int x = i % width;
                for (int head = 0; head < heads; head++) {
                    int h = head;
                    Row q = new Row(qkv, (i * 3 * heads + head) * DEPTH);
                    double[] rows = new double[WINDOW];
                    double[] columns = new double[WINDOW];
                    for (int j = 0; j < WINDOW; j++) {
                        rows[j] = AttentionReference.dot(q, new Row(relH, (y % WINDOW - j + WINDOW - 1) * DEPTH));
                        columns[j] = AttentionReference.dot(q, new Row(relW, (x % WINDOW - j + WINDOW - 1) * DEPTH));
                    }
                    AttentionReference reference = new AttentionReference(
                            type,
                            q,
                            WINDOW * WINDOW,
                            j -> row(qkv, outside, y, x, j, 1, h),
                            j -> row(qkv, outside, y, x, j, 2, h),
                            j -> rows[j / WINDOW] + columns[j % WINDOW]);
                    check.add(reference, got, (i * heads + head) * DEPTH, "row " + y + ", column " + x + ", head " + h);
                }
            }
            check.report();
        }

        /** k or v of the j-th position in the window of the token at (y, x). */
        private Row row(float[] qkv, float[] outside, int y, int x, int j, int which, int head) {
            int keyY = y / WINDOW * WINDOW + j / WINDOW;
            int keyX = x / WINDOW * WINDOW + j % WINDOW;
            return keyY < height && keyX < width
                    ? new Row(qkv, (((keyY * width + keyX) * 3 + which) * heads + head) * DEPTH)
                    : new Row(outside, (which * heads + head) * DEPTH);
        }
    }

    @DeviceTest
    void anyGrid(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int[] grid : new int[][] {
                {1, 1}, {1, 7}, {7, 1}, {13, 8}, {14, 14}, {15, 14}, {9, 19}, {19, 9}, {28, 29}, {8, 99}
            }) {
                new Case(type, grid[0], grid[1], 1 + grid[0] % 2, 2).run(device);
            }
            new Case(type, 5, 5, 12, 2).run(device);
            new Case(type, 17, 13, 1, 20).run(device);
        }
    }

    /** A band of whole rows of windows gives the bytes of the whole grid, and touches nothing else. */
    @DeviceTest
    void bands(Device device) {
        for (ElementType type : TestMap.types(device)) {
            Case grid = new Case(type, 31, 15, 2, 2);
            float[] qkv = grid.qkv();
            float[] whole = grid.launch(device, qkv, 0, 31);
            int row = 15 * 2 * DEPTH;
            float[] upper = grid.launch(device, qkv, 0, 14);
            float[] lower = grid.launch(device, qkv, 14, 31);
            for (int i = 0; i < whole.length; i++) {
                boolean inUpper = i < 14 * row;
                assertEquals(inUpper ? whole[i] : UNTOUCHED, upper[i]);
                assertEquals(inUpper ? UNTOUCHED : whole[i], lower[i]);
            }
            assertArrayEquals(new float[0], new Case(type, 0, 9, 1, 1).launch(device, new float[0], 0, 0));
            assertArrayEquals(new float[0], new Case(type, 9, 0, 1, 1).launch(device, new float[0], 0, 9));
        }
    }

    /** What is no number stays in its window, and in its channel where it is a value. */
    @DeviceTest
    void notNumbers(Device device) {
        for (ElementType type : TestMap.types(device)) {
            Case grid = new Case(type, 16, 15, 1, 1);
            float[] qkv = grid.qkv();
            qkv[2 * DEPTH + 9] = Float.POSITIVE_INFINITY; // a value of the first window
            qkv[(13 * 3 + 2) * DEPTH + 7] = Float.NaN; // the last column of a row is the key in place of two more
            qkv[3 * 3 * DEPTH] = Float.NaN; // a query
            qkv[(14 * 3 + 1) * DEPTH] = Float.NaN; // a key of the second window: all of its tokens
            grid.verify(qkv, grid.launch(device, qkv, 0, 16));
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (ElementType type : TestMap.types(device)) {
                new Case(type, 14, 14, 1, 2).run(device);
                new Case(type, 15, 3, 1, 2).run(device);
            }
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(int megabytes, ElementType type, long... shape) {
        return Tensor.wrap((long) megabytes << 20, type, shape);
    }

    @Test
    void launches() {
        Launch launch = new WindowAttention.Call(
                        tensor(512, FP16, 136 * 242, 384),
                        tensor(1, FP16, 136 * 242, 3, 6, 64),
                        tensor(640, FP32, 3, 6, 64),
                        tensor(641, FP16, 27, 64),
                        tensor(642, FP16, 27, 64),
                        136,
                        242)
                .launch();
        assertEquals("window_attention_fp16", launch.kernel());
        assertEquals(10 * 18 * 6, launch.gridX());
        assertEquals(1, launch.gridY());
        assertEquals(6L * 32912 * 64 * (4 * 196 + 56), launch.flops());
        assertEquals(32912L * 384 * 4 * 2 + 3 * 384 * 4 + 2 * 27 * 64 * 2, launch.bytes());
    }

    @Test
    void refusals() {
        List<String> messages = new ArrayList<>();
        try (Device device = TestDevices.emulated(75, false)) {
            Consumer<WindowAttention.Call> refused = call -> messages.add(assertThrows(
                            InvalidArgumentException.class,
                            () -> WindowAttention.run(
                                    device,
                                    call.out(),
                                    call.qkv(),
                                    call.bias(),
                                    call.relH(),
                                    call.relW(),
                                    call.gridHeight(),
                                    call.gridWidth(),
                                    device.defaultStream()))
                    .getMessage());
            Tensor qkv = tensor(1, FP16, 6, 3, 2, 64);
            Tensor out = tensor(2, FP16, 6, 128);
            Tensor bias = tensor(3, FP32, 3, 2, 64);
            Tensor rel = tensor(4, FP16, 27, 64);
            refused.accept(new WindowAttention.Call(out, null, bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, tensor(1, I32, 6, 3, 2, 64), bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, tensor(1, BF16, 6, 3, 2, 64), bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, tensor(1, FP16, 6, 384), bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, qkv, bias, rel, rel, 3, 3));
            refused.accept(new WindowAttention.Call(out, qkv, bias, rel, rel, -1, 3));
            refused.accept(new WindowAttention.Call(out, qkv, bias, rel, rel, 2, 65536));
            refused.accept(new WindowAttention.Call(tensor(2, FP16, 5, 128), qkv, bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(null, qkv, bias, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, qkv, tensor(3, FP16, 3, 2, 64), rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, qkv, null, rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, qkv, bias, tensor(4, FP16, 13, 64), rel, 2, 3));
            refused.accept(new WindowAttention.Call(out, qkv, bias, rel, tensor(4, FP32, 27, 64), 2, 3));
            refused.accept(
                    new WindowAttention.Call(out, qkv, Tensor.wrap((3 << 20) + 4, FP32, 3, 2, 64), rel, rel, 2, 3));
            refused.accept(new WindowAttention.Call(tensor(1, FP16, 6, 128), qkv, bias, rel, rel, 2, 3));
        }
        assertEquals(
                List.of(
                        "qkv: expected a value, got null",
                        "qkv: expected fp32 or fp16 or bf16, got [6, 3, 2, 64] i32",
                        "qkv: expected fp16 or fp32 on a card before sm_80 (emulated sm_75 is sm_75), got [6, 3, 2, 64] bf16",
                        "qkv: expected [h * w, 3, heads, 64] = [*, 3, *, 64], got [6, 384] fp16",
                        "qkv: expected the tokens of a grid of 3 x 3, got [6, 3, 2, 64] fp16",
                        "gridHeight: expected 0 to 65535, got -1",
                        "gridWidth: expected 0 to 65535, got 65536",
                        "out: expected [h * w, heads * 64] = [6, 128] fp16, got [5, 128] fp16",
                        "out: expected a value, got null",
                        "bias: expected [3, heads, 64] = [3, 2, 64] fp32, got [3, 2, 64] fp16",
                        "bias: expected a value, got null",
                        "relH: expected [27, 64] fp16, got [13, 64] fp16",
                        "relW: expected [27, 64] fp16, got [27, 64] fp32",
                        "bias: expected an address that is a multiple of 16, got 0x300004",
                        "out: expected memory apart from qkv's, got memory that overlaps it"),
                messages.stream().map(m -> m.replace("window_attention: ", "")).toList());
    }
}
