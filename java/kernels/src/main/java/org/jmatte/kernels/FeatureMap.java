package org.jmatte.kernels;

/**
 * A feature map [height, width, channels] in device memory, whole or as a ring of rows: row y lies in slot y modulo the
 * ring. It may be some channels of a wider map, so that parts of a concatenation are written where they belong.
 *
 * @param rows [ring, width, pitch] fp32, fp16 or bf16; the pitch is at least {@code channels}
 * @param height rows of the whole map
 * @param channels those that belong to the map, from the first element of each position on
 */
public record FeatureMap(Tensor rows, int height, int channels) {
    public FeatureMap {
        Arguments.type("feature map", "rows", rows, ElementType.FP32, ElementType.FP16, ElementType.BF16);
        Arguments.shape(
                "feature map", "rows", rows, "[ring, width, pitch]", Arguments.ANY, Arguments.ANY, Arguments.ANY);
        Arguments.range("feature map", "height", height, 0, Integer.MAX_VALUE / 4);
        Arguments.range("feature map", "width", rows.size(1), 0, Integer.MAX_VALUE / 4);
        Arguments.range("feature map", "ring", rows.size(0), Math.min(height, 1), Integer.MAX_VALUE);
        Arguments.range("feature map", "channels", channels, 1, rows.size(2));
        Arguments.range("feature map", "pitch", rows.size(2), 1, Integer.MAX_VALUE);
    }

    /** All rows and channels of [height, width, channels]. */
    public static FeatureMap of(Tensor map) {
        Arguments.shape(
                "feature map", "map", map, "[height, width, channels]", Arguments.ANY, Arguments.ANY, Arguments.ANY);
        return new FeatureMap(map, Math.toIntExact(map.size(0)), Math.toIntExact(map.size(2)));
    }

    /** Channels {@code first} to {@code first + count - 1} of this map, in the same memory. */
    public FeatureMap slice(int first, int count) {
        Arguments.range("feature map", "first channel", first, 0, channels);
        Arguments.range("feature map", "channels", count, 1, channels - first);
        long[] shape = rows.shape();
        long pointer = rows.pointer() + (long) first * rows.type().bytes();
        return new FeatureMap(Tensor.wrap(pointer, rows.type(), shape), height, count);
    }

    public ElementType type() {
        return rows.type();
    }

    public int width() {
        return (int) rows.size(1);
    }

    public int ring() {
        return (int) rows.size(0);
    }

    /** Elements from one position to the next. */
    public int pitch() {
        return (int) rows.size(2);
    }

    boolean isSlice() {
        return channels < pitch();
    }

    /** For messages: {@code [2176, 3872, 32] fp16, 66 rows in memory}. */
    @Override
    public String toString() {
        return "[" + height + ", " + width() + ", " + channels + "] " + type()
                + (ring() < height ? ", " + ring() + " rows in memory" : "");
    }

    /** Refuses the map unless it has these sizes; {@link Arguments#ANY} takes any. */
    void expect(String operator, String argument, ElementType type, long height, long width, long channels) {
        boolean fits = type() == type
                && (height == Arguments.ANY || height == height())
                && (width == Arguments.ANY || width == width())
                && (channels == Arguments.ANY || channels == channels());
        if (!fits) {
            throw Arguments.refused(
                    operator,
                    argument,
                    "[" + star(height) + ", " + star(width) + ", " + star(channels) + "] " + type,
                    this);
        }
    }

    private static String star(long size) {
        return size == Arguments.ANY ? "*" : Long.toString(size);
    }

    /** Refuses the map unless rows {@code from} to {@code to - 1}, as far as they exist, fit in memory together. */
    void expectRows(String operator, String argument, long from, long to) {
        long first = Math.max(0, from);
        long last = Math.min(height, to);
        if (last - first > ring()) {
            throw Arguments.refused(
                    operator, argument, "rows " + first + " to " + (last - 1) + " in memory at once", this);
        }
    }

    /** The address after the last element that belongs to the map. */
    private long end() {
        return rows.pointer() + Math.max(0, rows.elements() - pitch() + channels) * type().bytes();
    }

    /** Neither map's memory reaches into the other's; of slices the caller sees to it. */
    void expectApart(String operator, String argument, String other, FeatureMap otherMap) {
        if (!isSlice() || !otherMap.isSlice()) {
            expectApart(operator, argument, other, otherMap.rows.pointer(), otherMap.end());
        }
    }

    /** The map's memory does not reach into the tensor's. */
    void expectApart(String operator, String argument, String other, Tensor tensor) {
        expectApart(operator, argument, other, tensor.pointer(), tensor.pointer() + tensor.bytes());
    }

    private void expectApart(String operator, String argument, String other, long from, long to) {
        if (rows.elements() > 0 && rows.pointer() < to && from < end()) {
            throw Arguments.refused(operator, argument, "memory apart from " + other + "'s", "memory that overlaps it");
        }
    }
}
