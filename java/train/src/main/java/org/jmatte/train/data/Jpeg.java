package org.jmatte.train.data;

/** The loss of JPEG: 8x8 blocks, cosine transform, coefficients rounded to multiples of a table, and back. */
final class Jpeg {
    private static final int N = 8;
    private static final float[] COSINES = new float[N * N];

    /** Steps for luma of the standard's Annex K, table K.1, in steps of 1/255. */
    private static final int[] LUMA = {
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
        51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
        120, 101, 72, 92, 95, 98, 112, 100, 103, 99
    };

    /** Step for chroma at low frequencies, and at all others (table K.2). */
    private static final int CHROMA_LOW = 20;

    private static final int CHROMA_HIGH = 99;

    static {
        for (int k = 0; k < N; k++) {
            for (int x = 0; x < N; x++) {
                double scale = StrictMath.sqrt((k == 0 ? 1.0 : 2.0) / N);
                COSINES[k * N + x] = (float) (scale * StrictMath.cos((2 * x + 1) * k * Math.PI / (2 * N)));
            }
        }
    }

    private Jpeg() {}

    /**
     * What compression adds to a planar RGB image in 0..1; blocks that do not fit whole stay as they are.
     *
     * @param scale of the tables: 1 for quality 50, 0.2 for quality 90
     */
    static float[] loss(float[] image, int side, float scale) {
        int size = side * side;
        float[] loss = new float[3 * size];
        float[] block = new float[N * N];
        float[] scratch = new float[N * N];
        for (int plane = 0; plane < 3; plane++) {
            for (int top = 0; top + N <= side; top += N) {
                for (int left = 0; left + N <= side; left += N) {
                    read(image, size, side, plane, top * side + left, block);
                    quantize(block, scratch, plane, scale);
                    write(loss, size, side, plane, top * side + left, block);
                }
            }
        }
        return loss;
    }

    /** One block of Y, Cb or Cr. */
    private static void read(float[] image, int size, int side, int plane, int start, float[] block) {
        for (int i = 0; i < N * N; i++) {
            int at = start + i / N * side + i % N;
            float r = image[at];
            float g = image[at + size];
            float b = image[at + 2 * size];
            block[i] = plane == 0
                    ? 0.299f * r + 0.587f * g + 0.114f * b
                    : plane == 1 ? -0.1687f * r - 0.3313f * g + 0.5f * b : 0.5f * r - 0.4187f * g - 0.0813f * b;
        }
    }

    /** Replaces a block by what rounding its coefficients adds. */
    private static void quantize(float[] block, float[] scratch, int plane, float scale) {
        transform(block, scratch, false);
        transform(scratch, block, false);
        for (int i = 0; i < N * N; i++) {
            int table = plane == 0 ? LUMA[i] : i / N + i % N < 3 ? CHROMA_LOW : CHROMA_HIGH;
            float step = Math.max(1, table * scale) / 255;
            block[i] = step * Noise.floor(block[i] / step + 0.5f) - block[i];
        }
        transform(block, scratch, true);
        transform(scratch, block, true);
    }

    /** Transforms the rows and transposes, so that twice is a whole transform. */
    private static void transform(float[] from, float[] to, boolean inverse) {
        int step = inverse ? N : 1;
        int stride = inverse ? 1 : N;
        for (int row = 0; row < N; row++) {
            for (int k = 0; k < N; k++) {
                float sum = 0;
                for (int x = 0; x < N; x++) {
                    sum += COSINES[k * stride + x * step] * from[row * N + x];
                }
                to[k * N + row] = sum;
            }
        }
    }

    private static void write(float[] loss, int size, int side, int plane, int start, float[] block) {
        float red = plane == 0 ? 1 : plane == 1 ? 0 : 1.402f;
        float green = plane == 0 ? 1 : plane == 1 ? -0.34414f : -0.71414f;
        float blue = plane == 0 ? 1 : plane == 1 ? 1.772f : 0;
        for (int i = 0; i < N * N; i++) {
            int at = start + i / N * side + i % N;
            loss[at] += red * block[i];
            loss[at + size] += green * block[i];
            loss[at + 2 * size] += blue * block[i];
        }
    }
}
