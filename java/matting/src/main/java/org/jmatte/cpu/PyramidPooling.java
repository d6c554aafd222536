package org.jmatte.cpu;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.CpuWeights.Channels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.network.PamArchitecture;

/**
 * x += act(fuse(x, b1, b2, b3, b6)) with bn = upsampled act(branch(x pooled to n x n)). The fusion's share of a branch
 * commutes with its upsampling: it is computed on the grid.
 */
final class PyramidPooling {
    private static final int[] GRIDS = PamArchitecture.pyramidGrids();

    private final Linear fuse;
    private final List<Linear> branches = new ArrayList<>();
    private final List<Linear> shares = new ArrayList<>();

    PyramidPooling(CpuWeights weights, String name) {
        int channels = (int) weights.shape(name + ".fuse.weight")[0];
        fuse = weights.convolution(name + ".fuse", Channels.of(0, channels));
        int from = channels;
        for (int i = 0; i < GRIDS.length; i++) {
            Linear branch = weights.linear(name + ".branches." + i);
            branches.add(branch);
            shares.add(weights.tapProducts(name + ".fuse", from, from + branch.outputs()));
            from += branch.outputs();
        }
    }

    void run(CpuRun run, FeatureMap x) {
        long mark = run.arena().mark();
        List<Grid> grids = new ArrayList<>();
        for (int i = 0; i < GRIDS.length; i++) {
            grids.add(new Grid(run, x, GRIDS[i], branches.get(i), shares.get(i)));
        }
        run.forEach(grids.size(), (grid, slot) -> grids.get((int) grid).compute());
        fuse(run, x, grids);
        run.arena().release(mark);
        run.count(
                fuse.flops(x.area())
                        + x.area() * x.channels()
                        + grids.stream().mapToLong(Grid::flops).sum(),
                3 * x.bytes() + fuse.bytes());
    }

    private void fuse(CpuRun run, FeatureMap x, List<Grid> grids) {
        Tiles tiles = Tiles.of(x, run.tiling().chunk());
        Rows product = Rows.padded(fuse, ElementType.FP32, Epilogue.NONE, tiles.sizes());
        Scratch scratch = new Scratch();
        long rowsAt = scratch.reserve((long) Rows.padded(tiles.most()) * x.channels() * Float.BYTES);
        long inner = scratch.reserveFor(product);
        scratch.take(run);
        run.forEach(tiles.count(), (tile, slot) -> {
            int y = tiles.y(tile);
            int left = tiles.x(tile);
            int columns = tiles.columns(tile);
            long elements = (long) tiles.positions(tile) * x.channels();
            long rows = scratch.at(slot, rowsAt);
            product.run(tiles.positions(tile), x.at(y, left), rows, scratch.at(slot, inner));
            for (int r = 0; r < tiles.rows(tile); r++) {
                for (Grid grid : grids) {
                    grid.add(y + r, left, columns, rows + (long) r * columns * x.channels() * Float.BYTES);
                }
            }
            CpuKernels.add_activated(
                    rows,
                    PamArchitecture.LEAK,
                    elements,
                    x.at(y, left),
                    x.type().code());
        });
    }

    /** A branch: x pooled to side x side bins, and what the fusion makes of it. */
    private static final class Grid {
        private final FeatureMap x;
        private final int side;
        private final Linear branch;
        private final Linear share;
        private final Rows toBranch;
        private final Rows toShare;
        private final long pooled;
        private final long operands;
        private final long hidden;
        private final long sums;
        private final long result;
        private final long inner;

        Grid(CpuRun run, FeatureMap x, int side, Linear branch, Linear share) {
            this.x = x;
            this.side = side;
            this.branch = branch;
            this.share = share;
            int bins = side * side;
            long room = Rows.padded(bins);
            ElementType type = x.type();
            toBranch = Rows.padded(branch, type, Epilogue.LEAKY, bins);
            toShare = Rows.padded(share, ElementType.FP32, Epilogue.NONE, bins);
            Arena arena = run.arena();
            pooled = arena.take(room * x.channels() * Float.BYTES);
            operands = arena.take(type.bytes(room * x.channels()));
            hidden = arena.take(type.bytes(room * branch.outputs()));
            sums = arena.take((long) x.height() * x.channels() * Float.BYTES);
            result = arena.take(room * share.outputs() * Float.BYTES);
            inner = arena.take(Math.max(toBranch.scratchBytes(), toShare.scratchBytes()));
        }

        void compute() {
            FloatBuffer means = NativeMemory.floats(pooled, (long) side * side * x.channels());
            for (int bin = 0; bin < side * side; bin++) {
                pool(bin / side, bin % side, means);
            }
            CpuKernels.convert_rows(
                    pooled,
                    (long) side * side * x.channels(),
                    operands,
                    x.type().code());
            toBranch.run(side * side, operands, hidden, inner);
            toShare.run(side * side, hidden, result, inner);
        }

        /** The mean over a bin: rows floor(i H / n) to ceil((i + 1) H / n) - 1, and columns alike. */
        private void pool(int row, int column, FloatBuffer means) {
            int top = row * x.height() / side;
            int bottom = ((row + 1) * x.height() + side - 1) / side;
            int left = column * x.width() / side;
            int right = ((column + 1) * x.width() + side - 1) / side;
            for (int y = top; y < bottom; y++) {
                long to = sums + (long) (y - top) * x.channels() * Float.BYTES;
                CpuKernels.sum_rows(x.at(y, left), x.type().code(), right - left, x.channels(), to);
            }
            for (double sum : NativeMemory.columnSums(sums, bottom - top, x.channels())) {
                means.put((float) (sum / ((bottom - top) * (double) (right - left))));
            }
        }

        /** rows += this branch's share, at so many positions. */
        void add(int y, int first, int columns, long rows) {
            CpuKernels.add_resized(result, side, side, x.height(), x.width(), x.channels(), y, first, columns, rows);
        }

        long flops() {
            return branch.flops((long) side * side) + share.flops((long) side * side);
        }
    }
}
