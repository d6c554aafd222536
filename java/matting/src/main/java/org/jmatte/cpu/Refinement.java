package org.jmatte.cpu;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;

/**
 * Lightweight token refinement (LTRM): y = fc2(g), g = GELU(depthwise 5x5(GELU(fc1(stream)))), then a gate per channel,
 * 1 + sigmoid(conv1d(mean of y over all tokens)).
 *
 * <p>The mean of y is fc2 of the mean of g, so fc2 itself runs for the unselected tokens alone. The hidden map exists in
 * bands: a ring of token rows, of which the next band keeps the last four.
 */
final class Refinement {
    /** Rows above and below that the depthwise convolution reads. */
    private static final int HALO = 2;
    /** fc2 takes as many rows as are unselected, rounded up to this. */
    private static final int ROUNDING = 16;
    /** Tokens that a task merges: much data, little work. */
    private static final int MERGED_TOKENS = 1024;

    private final Linear fc1;
    private final Linear fc2;
    /** [25, 2C] */
    private final long depthwise;

    private final long depthwiseBias;
    private final float[] gateKernel;

    Refinement(CpuWeights weights, String block) {
        String name = block + ".efficient_block.";
        fc1 = weights.linear(name + "fc1");
        fc2 = weights.linear(name + "fc2");
        depthwise = weights.filters(name + "dwconv");
        depthwiseBias = weights.vector(name + "dwconv.bias");
        gateKernel = weights.values(name + "eca.conv.weight");
    }

    /**
     * y[t] = fc2(g[t]) for every unselected token.
     *
     * @param scale address of [C] floats: takes 1 + gate
     */
    void run(CpuRun run, long x, Routed routed, long scale) {
        ElementType type = run.operands();
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        int hidden = fc1.outputs();
        Blocks blocks = Blocks.of(gridWidth, run.tiling().chunk());
        int band = run.tiling().band();
        int ring = Math.min(gridHeight, band + 2 * HALO);
        long mark = run.arena().mark();
        long map = run.arena().take(type.bytes((long) ring * gridWidth * hidden));
        long sums = run.arena().take((long) gridHeight * blocks.count() * hidden * Float.BYTES);
        long mean = run.arena().take((long) hidden * Float.BYTES);
        long gated = run.arena().take((long) fc2.outputs() * Float.BYTES);
        FirstLayer first = new FirstLayer(run, x, blocks, map, ring);
        SecondLayer second = new SecondLayer(run, routed, blocks, map, ring, sums);
        int produced = 0;
        for (int top = 0; top < gridHeight; top += band) {
            int bottom = Math.min(top + band, gridHeight);
            int needed = Math.min(bottom + HALO, gridHeight);
            first.rows(produced, needed);
            produced = needed;
            second.rows(top, bottom);
        }
        gate(run, gridHeight * blocks.count(), sums, mean, gated, scale);
        long tokens = run.geometry().tokens();
        long rest = tokens - routed.count();
        run.count(
                fc1.flops(tokens) + 2 * 25 * tokens * hidden + fc2.flops(rest),
                tokens * fc1.inputs() * Float.BYTES
                        + 2 * type.bytes(tokens * hidden)
                        + type.bytes(rest * fc2.outputs())
                        + fc1.bytes()
                        + fc2.bytes());
        run.arena().release(mark);
    }

    /** Rows of the hidden map: GELU(fc1(stream)). */
    private final class FirstLayer {
        private final CpuRun run;
        private final long x;
        private final Blocks blocks;
        private final long map;
        private final int ring;
        private final Rows product;
        private final Scratch scratch = new Scratch();
        private final long rowsAt;
        private final long inner;

        FirstLayer(CpuRun run, long x, Blocks blocks, long map, int ring) {
            this.run = run;
            this.x = x;
            this.blocks = blocks;
            this.map = map;
            this.ring = ring;
            product = Rows.exact(fc1, run.operands(), Epilogue.GELU, blocks.size(), blocks.last());
            rowsAt = scratch.reserve(run.operands().bytes((long) blocks.size() * fc1.inputs()));
            inner = scratch.reserveFor(product);
            scratch.take(run);
        }

        void rows(int from, int to) {
            ElementType type = run.operands();
            int gridWidth = blocks.length();
            run.forEach((long) (to - from) * blocks.count(), (task, slot) -> {
                int y = from + (int) (task / blocks.count());
                int first = blocks.first(task % blocks.count());
                int columns = blocks.size(task % blocks.count());
                long token = (long) y * gridWidth + first;
                long source = Stream.operands(x, token, columns, fc1.inputs(), scratch.at(slot, rowsAt), type);
                long at = (long) (y % ring) * gridWidth + first;
                product.run(columns, source, map + type.bytes(at * fc1.outputs()), scratch.at(slot, inner));
            });
        }
    }

    /** Depthwise convolution, sums for the gate, and fc2 of the unselected tokens. */
    private final class SecondLayer {
        private final CpuRun run;
        private final Routed routed;
        private final Blocks blocks;
        private final long map;
        private final int ring;
        private final long sums;
        private final Product[] products;
        private final Scratch scratch = new Scratch();
        private final long rowsAt;
        private final long restAt;
        private final long resultAt;
        private final long inner;

        SecondLayer(CpuRun run, Routed routed, Blocks blocks, long map, int ring, long sums) {
            this.run = run;
            this.routed = routed;
            this.blocks = blocks;
            this.map = map;
            this.ring = ring;
            this.sums = sums;
            ElementType type = run.operands();
            int most = (blocks.size() + ROUNDING - 1) / ROUNDING;
            products = new Product[most];
            long innerBytes = 0;
            for (int i = 0; i < most; i++) {
                products[i] = fc2.product((i + 1) * ROUNDING, type, Epilogue.NONE);
                innerBytes = Math.max(innerBytes, products[i].scratchBytes());
            }
            long rows = (long) most * ROUNDING;
            rowsAt = scratch.reserve(type.bytes(rows * fc2.inputs()));
            restAt = scratch.reserve(type.bytes(rows * fc2.inputs()));
            resultAt = scratch.reserve(type.bytes(rows * fc2.outputs()));
            inner = scratch.reserve(innerBytes);
            scratch.take(run);
        }

        void rows(int from, int to) {
            ElementType type = run.operands();
            int hidden = fc2.inputs();
            int gridWidth = blocks.length();
            int gridHeight = run.geometry().gridHeight();
            IntBuffer rest = run.planning()
                    ? null
                    : NativeMemory.ints(routed.rest(), (long) gridWidth * gridHeight - routed.count());
            run.forEach((long) (to - from) * blocks.count(), (task, slot) -> {
                int y = from + (int) (task / blocks.count());
                int first = blocks.first(task % blocks.count());
                int columns = blocks.size(task % blocks.count());
                long rows = scratch.at(slot, rowsAt);
                long part = (long) y * blocks.count() + task % blocks.count();
                long sum = sums + part * hidden * Float.BYTES;
                NativeMemory.clear(sum, (long) hidden * Float.BYTES);
                CpuKernels.depthwise5x5_gelu(
                        map,
                        type.code(),
                        ring,
                        gridHeight,
                        gridWidth,
                        hidden,
                        depthwise,
                        depthwiseBias,
                        y,
                        first,
                        columns,
                        rows,
                        sum);
                int token = y * gridWidth + first;
                int begin = lowerBound(rest, token);
                int count = lowerBound(rest, token + columns) - begin;
                if (count > 0) {
                    long index = routed.rest() + (long) begin * Integer.BYTES;
                    CpuKernels.gather_rows(rows, type.code(), index, token, count, hidden, scratch.at(slot, restAt));
                    products[(count - 1) / ROUNDING].run(
                            scratch.at(slot, restAt), scratch.at(slot, resultAt), scratch.at(slot, inner));
                    CpuKernels.scatter_rows(
                            scratch.at(slot, resultAt), type.code(), index, count, fc2.outputs(), routed.y());
                }
            });
        }
    }

    /** stream[t] += y[t] of the kept tokens, scale * y[t] of the others. */
    static void merge(CpuRun run, long x, Routed routed, long scale, int channels) {
        ElementType type = run.operands();
        int tokens = run.geometry().tokens();
        Blocks chunks = Blocks.ofSize(tokens, MERGED_TOKENS);
        run.count(
                2L * tokens * channels,
                2L * tokens * channels * Float.BYTES + type.bytes((long) tokens * channels) + tokens);
        run.forEach(chunks.count(), (chunk, slot) -> {
            long first = chunks.first(chunk);
            CpuKernels.merge_tokens(
                    x + first * channels * Float.BYTES,
                    routed.y() + type.bytes(first * channels),
                    type.code(),
                    routed.keep() + first,
                    scale,
                    chunks.size(chunk),
                    channels);
        });
    }

    /** The first position in the ascending values that holds at least {@code value}. */
    private static int lowerBound(IntBuffer values, int value) {
        int low = 0;
        int high = values.limit();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (values.get(middle) < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** scale = 1 + sigmoid(conv1d(fc2(mean of g))). */
    private void gate(CpuRun run, int parts, long sums, long mean, long gated, long scale) {
        ElementType type = run.operands();
        Product product = fc2.product(1, ElementType.FP32, Epilogue.NONE);
        Scratch scratch = new Scratch();
        long operandsAt = scratch.reserve(type.bytes(fc2.inputs()));
        long inner = scratch.reserve(product.scratchBytes());
        scratch.take(run);
        run.forEach(1, (task, slot) -> {
            int hidden = fc2.inputs();
            double[] total = NativeMemory.columnSums(sums, parts, hidden);
            FloatBuffer means = NativeMemory.floats(mean, hidden);
            for (int c = 0; c < hidden; c++) {
                means.put((float) (total[c] / run.geometry().tokens()));
            }
            long source = Stream.operands(mean, 0, 1, hidden, scratch.at(slot, operandsAt), type);
            product.run(source, gated, scratch.at(slot, inner));
            FloatBuffer y = NativeMemory.floats(gated, fc2.outputs());
            FloatBuffer out = NativeMemory.floats(scale, fc2.outputs());
            int reach = gateKernel.length / 2;
            for (int c = 0; c < fc2.outputs(); c++) {
                double sum = 0;
                for (int k = 0; k < gateKernel.length; k++) {
                    int at = c + k - reach;
                    if (at >= 0 && at < fc2.outputs()) {
                        sum += gateKernel[k] * y.get(at);
                    }
                }
                out.put((float) (1 + 1 / (1 + Math.exp(-sum))));
            }
        });
    }
}
