package org.jmatte.cpu;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.cpu.StageLayers.Segment;
import org.jmatte.network.PamArchitecture;

/**
 * One stage of path-adaptive matting in the memory of a run, tile after tile of its map. Whichever branches are chosen,
 * the memory is the same: room for the costlier one is taken beforehand. Every tile that changes the features also
 * leaves their sums, which the next path selection adds up in a fixed order.
 */
final class StageRun {
    /** Up to so many channels a tile takes two of the tiling's chunks: its rows still stay in a core's cache. */
    private static final int NARROW_CHANNELS = 128;

    private static final int TAPS = PamArchitecture.LARGE_KERNEL * PamArchitecture.LARGE_KERNEL;

    /** Tells where the entry's operands for a tile lie: in a map, or written to {@code scratch}. */
    @FunctionalInterface
    interface Source {
        long rows(int y, int x, int rows, int columns, long scratch);
    }

    private final CpuRun run;
    private final StageLayers layers;
    private final FeatureMap x;
    private final ElementType type;
    private final int channels;
    private final Tiles tiles;
    private final Source source;
    private final Rows entry;
    /** Null in the encoder. */
    private final Coarse coarse;

    private final List<Branches> segments = new ArrayList<>();
    private final Scratch scratch = new Scratch();
    private final long rowsAt;
    private final long operandsAt;
    private final long hiddenAt;
    private final long inner;
    private final FeatureMap between;
    private final long sums;
    private final long attention;
    private final long weighted;

    /** A coarser map's share of the entry, [coarse height, coarse width, C] fp32 at the address. */
    private record Coarse(FeatureMap map, Rows product, Tiles tiles, long address) {}

    /** The products of a segment's two branches. */
    private record Branches(Rows[] expand, Rows[] project, Rows first, Rows second) {}

    /**
     * Takes memory for the stage; what lies above the map {@code x} may be released after it.
     *
     * @param x the stage's features
     * @param coarser in the decoder, the map to be upsampled; null in the encoder
     */
    StageRun(CpuRun run, StageLayers layers, FeatureMap x, Source source, FeatureMap coarser) {
        this.run = run;
        this.layers = layers;
        this.x = x;
        this.source = source;
        type = run.operands();
        channels = x.channels();
        int chunk = run.tiling().chunk();
        tiles = Tiles.of(x, channels <= NARROW_CHANNELS ? 2 * chunk : chunk);
        entry = Rows.padded(layers.entry(), ElementType.FP32, Epilogue.NONE, tiles.sizes());
        for (Segment segment : layers.segments()) {
            segments.add(branches(segment));
        }
        coarse = coarser == null ? null : coarse(coarser);
        long room = Rows.padded(Math.max(tiles.most(), coarse == null ? 0 : coarse.tiles.most()));
        int hidden = layers.segments().get(0).modules().get(0).expand().outputs();
        rowsAt = scratch.reserve(room * channels * Float.BYTES);
        operandsAt = scratch.reserve(
                type.bytes(room * Math.max(channels, layers.entry().inputs())));
        hiddenAt = scratch.reserve(type.bytes(room * hidden));
        inner = scratch.reserveFor(products().toArray(Rows[]::new));
        between = FeatureMap.whole(run, channels, x.scale());
        sums = run.arena().take((long) tiles.count() * channels * Float.BYTES);
        attention = run.arena().take((long) channels * Float.BYTES);
        weighted = run.arena().take((long) TAPS * channels * Float.BYTES);
        scratch.take(run);
    }

    private Branches branches(Segment segment) {
        Rows[] expand = new Rows[PamArchitecture.MODULES];
        Rows[] project = new Rows[PamArchitecture.MODULES];
        for (int m = 0; m < expand.length; m++) {
            DepthwiseModule module = segment.modules().get(m);
            expand[m] = Rows.padded(module.expand(), type, Epilogue.LEAKY, tiles.sizes());
            project[m] = Rows.exact(module.project(), type, Epilogue.ADD, tiles.sizes());
        }
        return new Branches(
                expand,
                project,
                Rows.padded(segment.first(), type, Epilogue.LEAKY, tiles.sizes()),
                Rows.exact(segment.second(), type, Epilogue.ADD, tiles.sizes()));
    }

    private Coarse coarse(FeatureMap map) {
        Tiles parts = Tiles.of(map, run.tiling().chunk());
        Rows product = Rows.exact(layers.up(), ElementType.FP32, Epilogue.NONE, parts.sizes());
        return new Coarse(map, product, parts, run.arena().take(map.area() * channels * Float.BYTES));
    }

    private List<Rows> products() {
        List<Rows> products = new ArrayList<>(List.of(entry));
        for (Branches branches : segments) {
            products.addAll(List.of(branches.expand));
            products.addAll(List.of(branches.project));
            products.add(branches.first);
            products.add(branches.second);
        }
        if (coarse != null) {
            products.add(coarse.product);
        }
        return products;
    }

    /** x = norm(entry). */
    void enter() {
        if (coarse != null) {
            run.forEach(coarse.tiles.count(), (tile, slot) -> {
                long first = position(coarse.tiles, coarse.map, tile);
                coarse.product.run(
                        coarse.tiles.positions(tile),
                        coarse.map.address() + type.bytes(first * coarse.map.channels()),
                        coarse.address + first * channels * Float.BYTES,
                        scratch.at(slot, inner));
            });
        }
        run.forEach(tiles.count(), (tile, slot) -> {
            int y = tiles.y(tile);
            int left = tiles.x(tile);
            int columns = tiles.columns(tile);
            long rows = scratch.at(slot, rowsAt);
            long operands = source.rows(y, left, tiles.rows(tile), columns, scratch.at(slot, operandsAt));
            entry.run(tiles.positions(tile), operands, rows, scratch.at(slot, inner));
            for (int r = 0; coarse != null && r < tiles.rows(tile); r++) {
                CpuKernels.add_resized(
                        coarse.address,
                        coarse.map.height(),
                        coarse.map.width(),
                        x.height(),
                        x.width(),
                        channels,
                        y + r,
                        left,
                        columns,
                        rows + (long) r * columns * channels * Float.BYTES);
            }
            layers.norm().run(rows, tiles.positions(tile), x.at(y, left), type);
            sum(x, tile);
        });
        count(layers.entry());
        if (coarse != null) {
            run.count(
                    layers.up().flops(coarse.map.area()),
                    coarse.map.bytes() + layers.up().bytes());
        }
    }

    /**
     * Weighs the channels, in the next branch, and decides about it: above 0 it should be kept, as always while planning.
     *
     * @param feature of the budget
     */
    double select(int segment, float[] feature) {
        PathSelection selection = layers.segment(segment).selection();
        run.count(selection.flops(), (long) tiles.count() * channels * Float.BYTES);
        if (run.planning()) {
            return 1;
        }
        double[] mean = NativeMemory.columnSums(sums, tiles.count(), channels);
        for (int c = 0; c < channels; c++) {
            mean[c] /= x.area();
        }
        return selection.run(mean, feature, NativeMemory.floats(attention, channels));
    }

    /** Runs the modules of a segment, from x to the map between and back. */
    void keep(int segment) {
        List<DepthwiseModule> modules = layers.segment(segment).modules();
        Branches branches = segments.get(segment - layers.stage().firstSegment());
        FeatureMap from = x;
        for (int m = 0; m < modules.size(); m++) {
            FeatureMap to = from == x ? between : x;
            module(modules.get(m), branches.expand[m], branches.project[m], from, to, m == 0);
            from = to;
        }
    }

    /** to = x + project(act(expand(norm(depthwise(x))))), x being {@code from}, times the attention where it is first. */
    private void module(
            DepthwiseModule module, Rows expand, Rows project, FeatureMap from, FeatureMap to, boolean first) {
        if (first) {
            run.forEach(
                    1,
                    (task, slot) -> CpuKernels.scale_rows(
                            module.filters(), ElementType.FP32.code(), TAPS, channels, attention, weighted));
        }
        run.forEach(tiles.count(), (tile, slot) -> {
            int y = tiles.y(tile);
            int left = tiles.x(tile);
            int columns = tiles.columns(tile);
            int positions = tiles.positions(tile);
            long operands = scratch.at(slot, operandsAt);
            for (int r = 0; r < tiles.rows(tile); r++) {
                long row = operands + type.bytes((long) r * columns * channels);
                module.depthwise(from, first ? weighted : module.filters(), y + r, left, columns, row);
            }
            expand.run(positions, operands, scratch.at(slot, hiddenAt), scratch.at(slot, inner));
            if (first) {
                CpuKernels.scale_rows(from.at(y, left), type.code(), positions, channels, attention, to.at(y, left));
            } else {
                NativeMemory.copy(to.at(y, left), from.at(y, left), type.bytes((long) positions * channels));
            }
            project.run(positions, scratch.at(slot, hiddenAt), to.at(y, left), scratch.at(slot, inner));
            if (to == x) {
                sum(x, tile);
            }
        });
        count(module.expand(), module.project());
        run.count(2L * TAPS * x.area() * channels, 0);
    }

    /** Runs the connect layer of a segment instead, in place. */
    void bypass(int segment) {
        Branches branches = segments.get(segment - layers.stage().firstSegment());
        run.forEach(tiles.count(), (tile, slot) -> {
            int positions = tiles.positions(tile);
            long at = x.at(tiles.y(tile), tiles.x(tile));
            CpuKernels.scale_rows(at, type.code(), positions, channels, attention, at);
            branches.first.run(positions, at, scratch.at(slot, hiddenAt), scratch.at(slot, inner));
            branches.second.run(positions, scratch.at(slot, hiddenAt), at, scratch.at(slot, inner));
            sum(x, tile);
        });
        count(layers.segment(segment).first(), layers.segment(segment).second());
    }

    private void sum(FeatureMap map, long tile) {
        CpuKernels.sum_rows(
                map.at(tiles.y(tile), tiles.x(tile)),
                type.code(),
                tiles.positions(tile),
                channels,
                sums + tile * channels * Float.BYTES);
    }

    private static long position(Tiles tiles, FeatureMap map, long tile) {
        return (long) tiles.y(tile) * map.width() + tiles.x(tile);
    }

    private void count(Linear... linears) {
        for (Linear linear : linears) {
            run.count(linear.flops(x.area()), linear.bytes());
        }
        run.count(0, 2 * x.bytes());
    }
}
