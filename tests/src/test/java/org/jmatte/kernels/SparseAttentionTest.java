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
import java.util.function.Consumer;
import org.jmatte.kernels.AttentionReference.Row;
import org.junit.jupiter.api.Test;

class SparseAttentionTest {
    private static final int DEPTH = AttentionReference.DEPTH;
    private static final float UNTOUCHED = 7.5f;

    private static int[] queries(ElementType type) {
        return type == FP32 ? new int[] {64} : new int[] {128, 64};
    }

    // ---------------------------------------------------------------- a list of tokens

    /** A list of which the first `tokens` count; the rows behind are not numbers. */
    private record Case(ElementType type, int tokens, int capacity, int heads, boolean counted, double size) {
        private float[] qkv() {
            float[] values = TestMap.uniform(type, capacity * 3 * heads * DEPTH, 31L * tokens + heads, size);
            Arrays.fill(values, tokens * 3 * heads * DEPTH, values.length, Float.NaN);
            return values;
        }

        void run(Device device) {
            run(device, qkv());
        }

        void run(Device device, float[] qkv) {
            float[] first = null;
            for (int queries : queries(type)) {
                float[] got = launch(device, qkv, queries);
                if (first == null) {
                    first = got;
                    verify(qkv, got);
                } else {
                    assertArrayEquals(first, got, this + ": both sizes of blocks give the same bytes");
                }
            }
        }

        private float[] launch(Device device, float[] qkv, int queries) {
            try (TestTensor in = TestTensor.of(device, type, qkv, capacity, 3, heads, DEPTH);
                    TestTensor out = TestTensor.filled(device, type, UNTOUCHED, capacity, heads * DEPTH);
                    TestTensor count = TestTensor.of(device, I32, new float[] {tokens}, 1)) {
                SparseAttention.Call call = new SparseAttention.Call(
                        out.tensor(), in.tensor(), counted ? count.tensor() : null, null, null, 0, 0);
                call.check(device);
                device.launch(call.launch(queries), device.defaultStream());
                return out.read();
            }
        }

        private void verify(float[] qkv, float[] got) {
            AttentionCheck check = new AttentionCheck(type, toString());
            int each = tokens > 300 ? 19 : 1; // the last ones, and some of many
            for (int i = tokens - 1; i >= 0; i -= i > tokens - 3 ? 1 : each) {
                for (int head = 0; head < heads; head++) {
                    int h = head;
                    AttentionReference reference = new AttentionReference(
                            type, row(qkv, i, 0, h), tokens, j -> row(qkv, j, 1, h), j -> row(qkv, j, 2, h), j -> 0);
                    check.add(reference, got, (i * heads + head) * DEPTH, "token " + i + ", head " + head);
                }
            }
            for (int i = tokens * heads * DEPTH; i < got.length; i++) {
                assertEquals(UNTOUCHED, got[i], "rows behind the count are left alone");
            }
            check.report();
        }

        private Row row(float[] qkv, int token, int which, int head) {
            return new Row(qkv, ((token * 3 + which) * heads + head) * DEPTH);
        }
    }

    @DeviceTest
    void anyNumberOfTokens(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int tokens : new int[] {0, 1, 7, 19, 63, 64, 65, 99, 111, 128, 129, 500}) {
                new Case(type, tokens, tokens, 1 + tokens % 2, false, 2).run(device);
            }
            new Case(type, 989, 989, 1, false, 2).run(device);
        }
    }

    @DeviceTest
    void countsOnTheDevice(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int tokens : new int[] {0, 1, 64, 99, 130}) {
                new Case(type, tokens, 131, 3, true, 2).run(device);
            }
            try (TestTensor in = TestTensor.filled(device, type, 1, 19, 3, 1, DEPTH);
                    TestTensor out = TestTensor.filled(device, type, UNTOUCHED, 19, DEPTH);
                    TestTensor negative = TestTensor.filled(device, I32, -1, 1);
                    TestTensor much = TestTensor.filled(device, I32, 1000, 1)) {
                SparseAttention.run(device, out.tensor(), in.tensor(), negative.tensor(), device.defaultStream());
                assertEquals(UNTOUCHED, out.read()[0]);
                SparseAttention.run(device, out.tensor(), in.tensor(), much.tensor(), device.defaultStream());
                float[] ones = new float[19 * DEPTH];
                Arrays.fill(ones, 1);
                assertArrayEquals(ones, out.read(), "the tensor's rows are the cap");
            }
        }
    }

    /** Scores of hundreds: weights are 0 or 1, and running maxima rise by more than exp2 knows. */
    @DeviceTest
    void largeScores(Device device) {
        for (ElementType type : TestMap.types(device)) {
            new Case(type, 200, 200, 1, false, 20).run(device);
            Case rising = new Case(type, 150, 150, 1, false, 1);
            float[] qkv = rising.qkv();
            for (int i = 0; i < 150; i++) { // keys whose scores rise, or fall, with their position
                qkv[i * 3 * DEPTH] = i % 2 == 0 ? 16 : -16;
                qkv[(i * 3 + 1) * DEPTH] = 4 * (i - 75);
            }
            rising.run(device, qkv);
        }
    }

    /** What is no number reaches those whom it concerns, and only them. */
    @DeviceTest
    void notNumbers(Device device) {
        for (ElementType type : TestMap.types(device)) {
            Case some = new Case(type, 99, 99, 1, false, 1);
            float[] qkv = some.qkv();
            qkv[(70 * 3 + 2) * DEPTH + 5] = Float.POSITIVE_INFINITY; // a channel of a value
            qkv[(71 * 3 + 2) * DEPTH + 6] = Float.NaN;
            qkv[9 * 3 * DEPTH] = Float.NaN; // a query
            some.run(device, qkv);
            qkv[(98 * 3 + 1) * DEPTH + 3] = Float.NaN; // a key: all results
            some.run(device, qkv);
        }
    }

    // ---------------------------------------------------------------- tokens on a grid

    private record Grid(ElementType type, int height, int width, int heads, double size) {
        float[] run(Device device) {
            int tokens = height * width;
            float[] qkv = TestMap.uniform(type, tokens * 3 * heads * DEPTH, 31L * height + width, size);
            float[] relH = TestMap.uniform(type, (2 * height - 1) * DEPTH, 1, 0.5);
            float[] relW = TestMap.uniform(type, (2 * width - 1) * DEPTH, 2, 0.5);
            float[] first = null;
            for (int queries : queries(type)) {
                try (TestTensor in = TestTensor.of(device, type, qkv, tokens, 3, heads, DEPTH);
                        TestTensor h = TestTensor.of(device, type, relH, 2 * height - 1, DEPTH);
                        TestTensor w = TestTensor.of(device, type, relW, 2 * width - 1, DEPTH);
                        TestTensor out = TestTensor.filled(device, type, UNTOUCHED, tokens, heads * DEPTH)) {
                    SparseAttention.Call call = new SparseAttention.Call(
                            out.tensor(), in.tensor(), null, h.tensor(), w.tensor(), height, width);
                    call.check(device);
                    device.launch(call.launch(queries), device.defaultStream());
                    float[] got = out.read();
                    if (first == null) {
                        first = got;
                        verify(qkv, relH, relW, got);
                    } else {
                        assertArrayEquals(first, got, this + ": both sizes of blocks give the same bytes");
                    }
                }
            }
            return first;
        }

        private void verify(float[] qkv, float[] relH, float[] relW, float[] got) {
            AttentionCheck check = new AttentionCheck(type, toString());
            int tokens = height * width;
            int each = tokens > 300 ? 13 : 1;
            for (int i = tokens - 1; i >= 0; i -= each) {
                int y = i / width;
                int x = i % width;
                for (int head = 0; head < heads; head++) {
                    int h = head;
                    Row q = row(qkv, i, 0, h);
                    double[] rows = new double[height];
                    for (int j = 0; j < height; j++) {
                        rows[j] = AttentionReference.dot(q, new Row(relH, (y - j + height - 1) * DEPTH));
                    }
                    double[] columns = new double[width];
                    for (int j = 0; j < width; j++) {
                        columns[j] = AttentionReference.dot(q, new Row(relW, (x - j + width - 1) * DEPTH));
                    }
                    AttentionReference reference = new AttentionReference(
                            type,
                            q,
                            tokens,
                            j -> row(qkv, j, 1, h),
                            j -> row(qkv, j, 2, h),
                            j -> rows[j / width] + columns[j % width]);
                    check.add(reference, got, (i * heads + head) * DEPTH, "token " + i + ", head " + head);
                }
            }
            check.report();
        }

        private Row row(float[] qkv, int token, int which, int head) {
            return new Row(qkv, ((token * 3 + which) * heads + head) * DEPTH);
        }
    }

    @DeviceTest
    void anyGrid(Device device) {
        for (ElementType type : TestMap.types(device)) {
            for (int[] grid : new int[][] {
                {1, 1}, {1, 2}, {2, 1}, {7, 19}, {19, 7}, {8, 16}, {9, 17}, {16, 16}, {1, 99}, {99, 1}, {33, 20}
            }) {
                new Grid(type, grid[0], grid[1], 1 + grid[0] % 2, 2).run(device);
            }
            new Grid(type, 12, 13, 1, 20).run(device);
        }
    }

    /** Tables of zeros leave what a list without a grid gives, up to the order of its sums. */
    @DeviceTest
    void withoutBiasItIsAList(Device device) {
        int height = 8;
        int width = 8; // a patch of keys is then a tile of the list
        float[] qkv = TestMap.uniform(FP32, height * width * 3 * DEPTH, 1, 2);
        for (ElementType type : TestMap.types(device)) {
            try (TestTensor in = TestTensor.of(device, type, qkv, height * width, 3, 1, DEPTH);
                    TestTensor rel = TestTensor.filled(device, type, 0, 2 * height - 1, DEPTH);
                    TestTensor list = TestTensor.filled(device, type, UNTOUCHED, height * width, DEPTH);
                    TestTensor grid = TestTensor.filled(device, type, UNTOUCHED, height * width, DEPTH)) {
                SparseAttention.run(device, list.tensor(), in.tensor(), null, device.defaultStream());
                SparseAttention.relative(
                        device,
                        grid.tensor(),
                        in.tensor(),
                        rel.tensor(),
                        rel.tensor(),
                        height,
                        width,
                        device.defaultStream());
                assertArrayEquals(list.read(), grid.read(), type == FP32 ? 1e-5f : 0);
            }
        }
    }

    // ---------------------------------------------------------------- races

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (ElementType type : TestMap.types(device)) {
                // More tiles of keys than stages.
                new Case(type, 7, 19, 1, true, 2).run(device);
                new Case(type, 257, 257, 1, false, 2).run(device);
                new Grid(type, 3, 5, 1, 2).run(device);
                new Grid(type, 9, 17, 1, 2).run(device);
            }
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(int megabytes, ElementType type, long... shape) {
        return Tensor.wrap((long) megabytes << 20, type, shape);
    }

    @Test
    void launches() {
        Launch few = new SparseAttention.Call(
                        tensor(64, FP16, 4095, 384), tensor(1, FP16, 4095, 3, 6, 64), null, null, null, 0, 0)
                .launch(64);
        assertEquals("sparse_attention_64_fp16", few.kernel());
        assertEquals(64, few.gridX());
        assertEquals(6, few.gridY());
        assertEquals(4095L * 4095 * 6 * 4 * 64, few.flops());
        assertEquals(4095 * 384 * 4 * 2, few.bytes());

        SparseAttention.Call many = new SparseAttention.Call(
                tensor(512, BF16, 18500, 768),
                tensor(1, BF16, 18500, 3, 12, 64),
                tensor(640, I32, 1),
                null,
                null,
                0,
                0);
        assertEquals(128, many.queries());
        assertEquals("sparse_attention_128_bf16", many.launch(128).kernel());
        assertEquals(145, many.launch(128).gridX());
        assertEquals(18500L * 768 * 4 * 2 + 4, many.launch(128).bytes());

        SparseAttention.Call grid = new SparseAttention.Call(
                tensor(512, FP32, 136 * 242, 384),
                tensor(1, FP32, 136 * 242, 3, 6, 64),
                null,
                tensor(640, FP32, 271, 64),
                tensor(641, FP32, 483, 64),
                136,
                242);
        assertEquals(64, grid.queries());
        Launch launch = grid.launch(64);
        assertEquals("sparse_attention_relative_fp32", launch.kernel());
        assertEquals(16 * 34, launch.gridX());
        assertEquals(6L * 32912 * (4L * 64 * 32912 + 2 * 64 * 378), launch.flops());
        assertEquals(4L * (32912 * 384 * 4 + (271 + 483) * 64), launch.bytes());
    }

    @Test
    void refusals() {
        List<String> messages = new ArrayList<>();
        try (Device device = TestDevices.emulated(75, false)) {
            Consumer<Runnable> refused = call -> messages.add(
                    assertThrows(InvalidArgumentException.class, call::run).getMessage());
            Tensor qkv = tensor(1, FP16, 6, 3, 2, 64);
            Tensor out = tensor(2, FP16, 6, 128);
            Tensor relH = tensor(3, FP16, 3, 64);
            Tensor relW = tensor(4, FP16, 5, 64);
            Stream stream = device.defaultStream();
            refused.accept(() -> SparseAttention.run(device, out, null, null, stream));
            refused.accept(() -> SparseAttention.run(device, out, tensor(1, I32, 6, 3, 2, 64), null, stream));
            refused.accept(() -> SparseAttention.run(device, out, tensor(1, BF16, 6, 3, 2, 64), null, stream));
            refused.accept(() -> SparseAttention.run(device, out, tensor(1, FP16, 6, 3, 2, 32), null, stream));
            refused.accept(() -> SparseAttention.run(device, out, tensor(1, FP16, 6, 3, 0, 64), null, stream));
            refused.accept(() -> SparseAttention.run(device, tensor(2, FP16, 6, 64), qkv, null, stream));
            refused.accept(() -> SparseAttention.run(device, tensor(2, FP32, 6, 128), qkv, null, stream));
            refused.accept(
                    () -> SparseAttention.run(device, Tensor.wrap((2 << 20) + 8, FP16, 6, 128), qkv, null, stream));
            refused.accept(() -> SparseAttention.run(device, tensor(1, FP16, 6, 128), qkv, null, stream));
            refused.accept(() -> SparseAttention.run(device, out, qkv, tensor(3, I32, 2), stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, null, relW, 2, 3, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relH, null, 2, 3, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relH, relW, 0, 3, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relH, relW, 2, 65536, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relH, relW, 2, 4, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relW, relW, 2, 3, stream));
            refused.accept(() -> SparseAttention.relative(device, out, qkv, relH, relH, 2, 3, stream));
        }
        assertEquals(
                List.of(
                        "qkv: expected a value, got null",
                        "qkv: expected fp32 or fp16 or bf16, got [6, 3, 2, 64] i32",
                        "qkv: expected fp16 or fp32 on a card before sm_80 (emulated sm_75 is sm_75), got [6, 3, 2, 64] bf16",
                        "qkv: expected [M, 3, heads, 64] = [*, 3, *, 64], got [6, 3, 2, 32] fp16",
                        "heads: expected 1 to 65535, got 0",
                        "out: expected [M, heads * 64] = [6, 128] fp16, got [6, 64] fp16",
                        "out: expected [M, heads * 64] = [6, 128] fp16, got [6, 128] fp32",
                        "out: expected an address that is a multiple of 16, got 0x200008",
                        "out: expected memory apart from qkv's, got memory that overlaps it",
                        "count: expected [1] i32, got [2] i32",
                        "relH: expected a value, got null",
                        "relW: expected a value, got null",
                        "gridHeight: expected 1 to 65535, got 0",
                        "gridWidth: expected 1 to 65535, got 65536",
                        "qkv: expected the tokens of a grid of 2 x 4, got [6, 3, 2, 64] fp16",
                        "relH: expected [2 h - 1, 64] = [3, 64] fp16, got [5, 64] fp16",
                        "relW: expected [2 w - 1, 64] = [5, 64] fp16, got [3, 64] fp16"),
                messages.stream().map(m -> m.replace("sparse_attention: ", "")).toList());
    }
}
