package org.jmatte.train.data;

import java.util.SplittableRandom;

/** Smooth value noise in -1..1 from a fixed table, which repeats after 256 cells; callers draw where to look. */
final class Noise {
    private static final int CELLS = 256;
    private static final float[] TABLE = new float[CELLS * CELLS];

    static {
        SplittableRandom random = new SplittableRandom(20240917);
        for (int i = 0; i < TABLE.length; i++) {
            TABLE[i] = (random.nextLong() >> 40) * 0x1p-23f;
        }
    }

    private Noise() {}

    /** One octave; a cell has side 1. */
    static float value(float x, float y) {
        int cellX = floor(x);
        int cellY = floor(y);
        float u = smooth(x - cellX);
        float v = smooth(y - cellY);
        int column = cellX & CELLS - 1;
        int next = column + 1 & CELLS - 1;
        int upper = (cellY & CELLS - 1) * CELLS;
        int lower = upper + CELLS & CELLS * CELLS - 1;
        float above = TABLE[upper + column] + u * (TABLE[upper + next] - TABLE[upper + column]);
        float below = TABLE[lower + column] + u * (TABLE[lower + next] - TABLE[lower + column]);
        return above + v * (below - above);
    }

    /** Octaves of halved size and amplitude, each turned so that the lattices do not line up; about -1..1. */
    static float fractal(float x, float y, int octaves) {
        float sum = 0;
        float amplitude = 0.6f;
        for (int i = 0; i < octaves; i++) {
            sum += amplitude * value(x, y);
            float turned = 1.6f * x - 1.2f * y + 17.3f;
            y = 1.2f * x + 1.6f * y + 5.9f;
            x = turned;
            amplitude *= 0.5f;
        }
        return sum;
    }

    /** 0 to 1 with flat ends as {@code t} goes from 0 to 1, constant beyond. */
    static float step(float t) {
        return t <= 0 ? 0 : t >= 1 ? 1 : smooth(t);
    }

    /** A smooth wave of period 1 between 0 and 1. */
    static float wave(float t) {
        float phase = t - floor(t);
        return smooth(phase < 0.5f ? 2 * phase : 2 - 2 * phase);
    }

    /** Cosine by a corrected parabola, within 0.001: quick, and the same on every machine. */
    static float cos(float angle) {
        float turns = angle * 0.15915494f + 0.25f;
        float t = 2 * (turns - floor(turns + 0.5f));
        float parabola = 4 * t * (1 - Math.abs(t));
        return parabola * (0.775f + 0.225f * Math.abs(parabola));
    }

    static int floor(float value) {
        int whole = (int) value;
        return value < whole ? whole - 1 : whole;
    }

    private static float smooth(float t) {
        return t * t * (3 - 2 * t);
    }
}
