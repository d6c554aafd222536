package org.jmatte.metrics;

import java.util.Arrays;

/**
 * The largest 4-connected component of a set of pixels, in linear time: runs of rows are joined with those they touch in
 * the row above. Of equal components the first in raster order is the largest.
 */
final class Components {
    private int[] start = new int[1024];
    private int[] end = new int[1024];
    private int[] parent = new int[1024];
    private int[] size = new int[1024];
    private final int[] firstOfRow; // its index, and behind the last row the number of runs
    private int runs;
    private int rows;

    Components(int height) {
        firstOfRow = new int[height + 1];
    }

    /** Forgets all rows. */
    void clear() {
        runs = 0;
        rows = 0;
    }

    /** Adds the next row. */
    void add(boolean[] inside) {
        int width = inside.length;
        int first = runs;
        int above = rows == 0 ? 0 : firstOfRow[rows - 1];
        for (int x = 0; x < width; x++) {
            if (!inside[x]) {
                continue;
            }
            int from = x;
            while (x < width && inside[x]) {
                x++;
            }
            int run = append(from, x);
            while (above < first && end[above] <= from) {
                above++;
            }
            for (int touching = above; touching < first && start[touching] < x; touching++) {
                join(run, touching);
            }
        }
        firstOfRow[++rows] = runs;
    }

    private int append(int from, int to) {
        if (runs == start.length) {
            int more = Math.multiplyExact(2, runs);
            start = Arrays.copyOf(start, more);
            end = Arrays.copyOf(end, more);
            parent = Arrays.copyOf(parent, more);
            size = Arrays.copyOf(size, more);
        }
        start[runs] = from;
        end[runs] = to;
        parent[runs] = runs;
        size[runs] = to - from;
        return runs++;
    }

    private void join(int a, int b) {
        int first = root(a);
        int second = root(b);
        if (first != second) {
            int root = Math.min(first, second); // the first in raster order stands for its component
            parent[Math.max(first, second)] = root;
            size[root] += size[Math.max(first, second)];
        }
    }

    private int root(int run) {
        while (parent[run] != run) {
            parent[run] = parent[parent[run]];
            run = parent[run];
        }
        return run;
    }

    /** The first run of the largest component, after all rows were added; -1 if there is none. */
    int largest() {
        int best = -1;
        for (int run = 0; run < runs; run++) {
            if (parent[run] == run && (best < 0 || size[run] > size[best])) {
                best = run;
            }
        }
        return best;
    }

    /** Marks the pixels of a row that belong to a component. */
    void mark(int component, int y, boolean[] inside) {
        Arrays.fill(inside, false);
        for (int run = firstOfRow[y]; run < firstOfRow[y + 1]; run++) {
            if (root(run) == component) {
                Arrays.fill(inside, start[run], end[run], true);
            }
        }
    }
}
