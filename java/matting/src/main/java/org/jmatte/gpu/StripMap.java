package org.jmatte.gpu;

import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;

/** A feature map of a convolutional part, of which a ring of rows is in memory: those of a strip and what it leans on. */
final class StripMap {
    private final ElementType type;
    private final int height;
    private final int width;
    private final int channels;
    private final int scale;
    private final int ahead;
    private final int behind;
    private final int reach;
    private FeatureMap map;

    /**
     * A map without memory.
     *
     * @param scale pixels of the image per row and column of the map
     * @param ahead rows below a strip's end that later maps need for that strip
     * @param behind rows above a strip that are still read when its last ones are produced
     * @param reach pixels beyond a position's own that its value can influence
     */
    StripMap(ElementType type, int height, int width, int channels, int scale, int ahead, int behind, int reach) {
        this.type = type;
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.scale = scale;
        this.ahead = ahead;
        this.behind = behind;
        this.reach = reach;
    }

    /** One of operands, as large as the canvas. */
    static StripMap of(GpuRun run, int channels, int scale, int ahead, int behind, int reach) {
        return of(run, run.operands(), channels, scale, ahead, behind, reach);
    }

    /** One as large as the canvas. */
    static StripMap of(GpuRun run, ElementType type, int channels, int scale, int ahead, int behind, int reach) {
        return new StripMap(
                type,
                run.geometry().canvasHeight() / scale,
                run.geometry().canvasWidth() / scale,
                channels,
                scale,
                ahead,
                behind,
                reach);
    }

    /** A map that is whole in memory. */
    static StripMap whole(FeatureMap map, int scale) {
        StripMap whole = new StripMap(map.type(), map.height(), map.width(), map.channels(), scale, 0, 0, 0);
        whole.map = map;
        return whole;
    }

    /** The same map's part that is produced so many rows later. */
    StripMap later(int rows) {
        StripMap part = new StripMap(type, height, width, channels, scale, ahead - rows, behind, reach);
        part.map = map;
        return part;
    }

    private int ring(int strip) {
        return Math.min(height, strip / scale + ahead + behind);
    }

    /** What {@link #take} takes. */
    long bytes(int strip) {
        return map != null ? 0 : (long) ring(strip) * width * channels * type.bytes();
    }

    /** Takes memory for strips of so many rows of the image, unless it is there. */
    void take(GpuRun run, int strip) {
        if (map != null) {
            return;
        }
        map = new FeatureMap(run.take(type, ring(strip), width, channels), height, channels);
    }

    FeatureMap map() {
        return map;
    }

    int width() {
        return width;
    }

    int scale() {
        return scale;
    }

    int ahead() {
        return ahead;
    }

    int reach() {
        return reach;
    }

    /** The row up to which this map is produced for a strip that ends at a row of the image. */
    int producedUpTo(int stripEnd) {
        return Math.min(height, stripEnd / scale + ahead);
    }
}
