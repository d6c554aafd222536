package org.jmatte.cpu;

import java.util.stream.IntStream;

/**
 * A map cut into runs of consecutive positions, for products of rows: whole rows together, or parts of one row.
 *
 * @param down the map's rows
 * @param across the columns of a row
 */
record Tiles(Blocks down, Blocks across) {
    /** Runs of about {@code most} positions; of at least one row of a narrow map. */
    static Tiles of(FeatureMap map, int most) {
        Blocks across = Blocks.of(map.width(), most);
        int rows = across.count() == 1 ? Math.max(1, most / map.width()) : 1;
        return new Tiles(Blocks.ofSize(map.height(), rows), across);
    }

    int count() {
        return down.count() * across.count();
    }

    /** The first row of a tile. */
    int y(long tile) {
        return down.first(tile / across.count());
    }

    /** The first column of a tile. */
    int x(long tile) {
        return across.first(tile % across.count());
    }

    int rows(long tile) {
        return down.size(tile / across.count());
    }

    int columns(long tile) {
        return across.size(tile % across.count());
    }

    int positions(long tile) {
        return rows(tile) * columns(tile);
    }

    /** Positions of the largest tile. */
    int most() {
        return down.size() * across.size();
    }

    /** All numbers of positions that tiles have. */
    int[] sizes() {
        return IntStream.of(
                        most(), down.last() * across.size(), down.size() * across.last(), down.last() * across.last())
                .distinct()
                .toArray();
    }
}
