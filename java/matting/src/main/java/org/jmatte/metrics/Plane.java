package org.jmatte.metrics;

import java.nio.ByteBuffer;
import org.jmatte.image.Alpha;

/** The values of an alpha as floats, row by row. */
final class Plane {
    private final ByteBuffer values;
    private final Alpha.Format format;
    final int height;
    final int width;

    Plane(Alpha alpha) {
        values = alpha.values();
        format = alpha.format();
        height = alpha.height();
        width = alpha.width();
    }

    /** Safe to call from several threads: reads at absolute positions only. */
    void row(int y, float[] target) {
        int first = y * width;
        switch (format) {
            case U8 -> {
                for (int x = 0; x < width; x++) {
                    target[x] = (values.get(first + x) & 255) / 255f;
                }
            }
            case U16 -> {
                for (int x = 0; x < width; x++) {
                    target[x] = (values.getShort(2 * (first + x)) & 0xFFFF) / 65535f;
                }
            }
            case F32 -> {
                for (int x = 0; x < width; x++) {
                    target[x] = values.getFloat(4 * (first + x));
                }
            }
        }
    }
}
