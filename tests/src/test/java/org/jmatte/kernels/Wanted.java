package org.jmatte.kernels;

import java.util.Arrays;
import java.util.function.IntBinaryOperator;

/**
 * Which part of a map a test wants.
 *
 * @param blocks numbers of blocks of 32 columns, or null: all
 */
record Wanted(int from, int to, int... blocks) implements IntBinaryOperator {
    @Override
    public int applyAsInt(int y, int x) {
        boolean columns = blocks == null || Arrays.stream(blocks).anyMatch(b -> b == x / MapOptions.COLUMN_BLOCK);
        return y >= from && y < to && columns ? 1 : 0;
    }

    static Wanted rows(int from, int to) {
        return new Wanted(from, to, (int[]) null);
    }

    /** The blocks on the device; null for all. */
    TestTensor upload(Device device) {
        if (blocks == null) {
            return null;
        }
        float[] values = new float[blocks.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = blocks[i];
        }
        return TestTensor.of(device, ElementType.I32, values, values.length);
    }

    MapOptions apply(MapOptions o, TestTensor columns) {
        MapOptions rows = o.rows(from, to);
        return columns == null ? rows : rows.columns(columns.tensor());
    }
}
