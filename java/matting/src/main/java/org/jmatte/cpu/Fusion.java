package org.jmatte.cpu;

import java.util.Set;
import java.util.TreeSet;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.execution.ActiveArea;

/**
 * map = act(3x3 convolution of the detail map + 3x3 convolution of the lower map upsampled twofold). Convolution and
 * upsampling commute: the lower map is multiplied with the nine taps at its own resolution, a quarter of the work, and
 * the products are shifted, interpolated and added. A task is a tile of an even number of rows and columns.
 */
final class Fusion extends StripStage {
    /** About how many floats a tile's products may take, so that they stay in a core's cache. */
    private static final int PRODUCT_FLOATS = 256 * 1024;

    private static final int MOST_COLUMNS = 64;
    /** Positions per product are rounded up to this: tiles come in many sizes. */
    private static final int PATCH_MULTIPLE = 32;

    private final float slope;
    private final Linear detail;
    private final Linear up;
    private final FeatureMap lower;
    private final FeatureMap map;
    private final Unfold source;
    private final int mostRows;
    private final Blocks across;
    private final Rows detailProduct;
    private final Rows upProducts;
    private final long unfoldedAt;
    private final long detailAt;
    private final long patchAt;
    private final long productsAt;
    private final long inner;

    /** @param slope of the activation for negative values */
    Fusion(
            CpuRun run,
            ActiveArea active,
            float slope,
            Linear detail,
            Linear up,
            FeatureMap lower,
            FeatureMap map,
            Unfold source) {
        super(run, active);
        this.slope = slope;
        this.detail = detail;
        this.up = up;
        this.lower = lower;
        this.map = map;
        this.source = source;
        ElementType type = map.type();
        across = Blocks.of(map.width(), up.outputs() > 1000 ? MOST_COLUMNS / 2 : MOST_COLUMNS);
        mostRows = Math.max(4, (PRODUCT_FLOATS / up.outputs() / low(across.size()) - 2) * 2);
        detailProduct = Rows.exact(detail, ElementType.FP32, Epilogue.NONE, across.size(), across.last());
        upProducts = Rows.padded(PATCH_MULTIPLE, up, ElementType.FP32, Epilogue.NONE, patchSizes());
        long patch = Rows.padded(low(mostRows) * low(across.size()), PATCH_MULTIPLE);
        unfoldedAt = scratch.reserve(type.bytes((long) across.size() * detail.inputs()));
        detailAt = scratch.reserve((long) mostRows * across.size() * map.channels() * Float.BYTES);
        patchAt = scratch.reserve(type.bytes(patch * up.inputs()));
        productsAt = scratch.reserve(patch * up.outputs() * Float.BYTES);
        inner = scratch.reserveFor(detailProduct, upProducts);
    }

    /** Rows or columns of the lower map that so many of this map depend on. */
    private static int low(int size) {
        return size / 2 + 2;
    }

    /** Positions of the lower map under a tile, for all sizes of tiles that the strips lead to. */
    private int[] patchSizes() {
        Set<Integer> sizes = new TreeSet<>();
        int strip = run.tiling().strip();
        int from = 0;
        for (int end = strip; from < map.height(); end += strip) {
            int to = map.producedUpTo(end);
            Blocks down = down(from, to);
            for (int rows : new int[] {down.size(), down.last()}) {
                sizes.add(low(rows) * low(across.size()));
                sizes.add(low(rows) * low(across.last()));
            }
            from = to;
        }
        return sizes.stream().mapToInt(Integer::intValue).toArray();
    }

    private Blocks down(int from, int to) {
        return Blocks.even(to - from, mostRows, 2);
    }

    @Override
    int producedUpTo(int stripEnd) {
        return map.producedUpTo(stripEnd);
    }

    @Override
    void rows(int from, int to) {
        Blocks down = down(from, to);
        run.forEach((long) down.count() * across.count(), (task, slot) -> {
            long tileRow = task / across.count();
            long tileColumn = task % across.count();
            int y = from + down.first(tileRow);
            int rows = down.size(tileRow);
            int x = across.first(tileColumn);
            int columns = across.size(tileColumn);
            if (isWanted(map, y, x, rows, columns)) {
                tile(y, x, rows, columns, slot);
            }
        });
    }

    private void tile(int y, int x, int rows, int columns, int slot) {
        ElementType type = map.type();
        for (int r = 0; r < rows; r++) {
            long row = scratch.at(slot, detailAt) + (long) r * columns * map.channels() * Float.BYTES;
            source.rows(y + r, x, columns, scratch.at(slot, unfoldedAt));
            detailProduct.run(columns, scratch.at(slot, unfoldedAt), row, scratch.at(slot, inner));
        }
        CpuKernels.copy_clamped(
                lower.address(),
                type.code(),
                lower.ring(),
                lower.height(),
                lower.width(),
                lower.channels(),
                y / 2 - 1,
                x / 2 - 1,
                low(rows),
                low(columns),
                scratch.at(slot, patchAt));
        upProducts.run(
                low(rows) * low(columns),
                scratch.at(slot, patchAt),
                scratch.at(slot, productsAt),
                scratch.at(slot, inner));
        CpuKernels.fuse_upsampled(
                scratch.at(slot, productsAt),
                scratch.at(slot, detailAt),
                y,
                x,
                rows,
                columns,
                map.height(),
                map.width(),
                map.channels(),
                slope,
                map.address(),
                type.code(),
                map.ring());
    }

    @Override
    int decodedColumns() {
        return map.scale() == 1 ? map.width() : 0;
    }

    @Override
    long area() {
        return map.area();
    }

    @Override
    long flops() {
        return detail.flops(map.area()) + up.flops(lower.area()) + 30 * map.area() * map.channels();
    }

    @Override
    long movedBytes() {
        return map.type().bytes(map.area() * map.channels() + lower.area() * lower.channels())
                + detail.bytes()
                + up.bytes();
    }
}
