package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Upsampling with convolution, and the matting head, against their definitions in double. */
class DetailCaptureTest {
    private static final String CASES = "org.jmatte.cpu.Numbers#isasAndTypes";
    private static final String ISAS = "org.jmatte.cpu.Numbers#isas";

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    private static final float[] SLOPES = {0, 0.1f};
    private static final int INPUTS = 3; // channels of the low-resolution map

    @ParameterizedTest
    @MethodSource(CASES)
    void fusesTheUpsampledMap(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int channels : new int[] {1, 7, 19, 32, 64})
            for (int[] size : new int[][] {{2, 2}, {4, 2}, {2, 14}, {8, 38}}) {
                int height = size[0];
                int width = size[1];
                checkFuse(height, width, channels, 0, 0, height, width, height, type);
                for (int y = 0; y < height; y += 2) checkFuse(height, width, channels, y, 0, 2, width, 3, type);
                for (int x = 0; x < width; x += 2) checkFuse(height, width, channels, 0, x, height, 2, height, type);
            }
    }

    /** The tile as the upsampled map, zero outside, convolved with the weights. */
    private static void checkFuse(
            int height, int width, int channels, int y0, int x0, int rows, int columns, int ring, int type) {
        for (float slope : SLOPES) checkFuse(height, width, channels, slope, y0, x0, rows, columns, ring, type);
    }

    private static void checkFuse(
            int height,
            int width,
            int channels,
            float slope,
            int y0,
            int x0,
            int rows,
            int columns,
            int ring,
            int type) {
        float[] low = Numbers.random(height / 2 * (width / 2) * INPUTS, 1);
        float[] weight = Numbers.random(9 * INPUTS * channels, 2);
        float[] detail = Numbers.random(rows * columns * channels, 3);
        double[] expected = new double[ring * width * channels];
        Arrays.fill(expected, Double.NaN); // where nothing is to be written
        for (int i = 0; i < detail.length; i++) {
            int c = i % channels;
            int y = y0 + i / channels / columns;
            int x = x0 + i / channels % columns;
            double v = detail[i];
            for (int k = 0; k < 9; k++) {
                int row = y + k / 3 - 1;
                int column = x + k % 3 - 1;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                for (int n = 0; n < INPUTS; n++)
                    v += weight[(k * INPUTS + n) * channels + c]
                            * upsampled(low, height / 2, width / 2, row, column, n);
            }
            expected[(y % ring * width + x) * channels + c] = Math.max(slope * v, v);
        }
        try (NativeBuffer product = NativeBuffer.of(products(
                        low,
                        height / 2,
                        width / 2,
                        weight,
                        channels,
                        y0 / 2 - 1,
                        x0 / 2 - 1,
                        rows / 2 + 2,
                        columns / 2 + 2));
                NativeBuffer details = NativeBuffer.of(detail);
                NativeBuffer out = NativeBuffer.empty(ring * width * channels, type)) {
            CpuKernels.fuse_upsampled(
                    product.address(),
                    details.address(),
                    y0,
                    x0,
                    rows,
                    columns,
                    height,
                    width,
                    channels,
                    slope,
                    out.address(),
                    type,
                    ring);
            Numbers.assertClose(expected, out.floats(type), 5e-6, type);
        }
    }

    /** Bilinear interpolation with half-pixel centres, edges repeated. */
    private static double upsampled(float[] low, int height, int width, int y, int x, int n) {
        double sourceY = (y + 0.5) / 2 - 0.5;
        double sourceX = (x + 0.5) / 2 - 0.5;
        int top = (int) Math.floor(sourceY);
        int left = (int) Math.floor(sourceX);
        double v = 0;
        for (int k = 0; k < 4; k++) {
            int row = top + k / 2;
            int column = left + k % 2;
            v += (1 - Math.abs(sourceY - row))
                    * (1 - Math.abs(sourceX - column))
                    * at(low, height, width, row, column, n);
        }
        return v;
    }

    private static float at(float[] low, int height, int width, int y, int x, int n) {
        return low[(Math.max(0, Math.min(height - 1, y)) * width + Math.max(0, Math.min(width - 1, x))) * INPUTS + n];
    }

    /** The nine products of a low-resolution patch. */
    private static float[] products(
            float[] low, int height, int width, float[] weight, int channels, int y0, int x0, int rows, int columns) {
        float[] products = new float[rows * columns * 9 * channels];
        for (int i = 0; i < products.length; i++) {
            int k = i / channels % 9;
            int at = i / channels / 9;
            double v = 0;
            for (int n = 0; n < INPUTS; n++)
                v += (double) weight[(k * INPUTS + n) * channels + i % channels]
                        * at(low, height, width, y0 + at / columns, x0 + at % columns, n);
            products[i] = (float) v;
        }
        return products;
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void fusingKeepsNan(int isa) {
        CpuKernels.use_isa(isa);
        float[] detail = new float[2 * 2 * 19];
        detail[5] = Float.NaN;
        for (float slope : SLOPES)
            try (NativeBuffer products = NativeBuffer.of(new float[9 * 9 * 19]);
                    NativeBuffer details = NativeBuffer.of(detail);
                    NativeBuffer out = NativeBuffer.empty(detail.length, NativeBuffer.FP32)) {
                CpuKernels.fuse_upsampled(
                        products.address(),
                        details.address(),
                        0,
                        0,
                        2,
                        2,
                        2,
                        2,
                        19,
                        slope,
                        out.address(),
                        NativeBuffer.FP32,
                        2);
                Numbers.assertSame(detail, out.floats());
            }
    }

    @ParameterizedTest
    @MethodSource(ISAS)
    void computesAlpha(int isa) {
        CpuKernels.use_isa(isa);
        for (int format = 0; format < 3; format++)
            for (boolean known : new boolean[] {false, true}) {
                checkHead(1, 1, 0, 0, 1, 1, format, known);
                checkHead(9, 99, 0, 0, 9, 99, format, known);
                checkHead(9, 99, 3, 7, 4, 19, format, known);
                checkHead(9, 99, 8, 80, 1, 16, format, known);
            }
    }

    private static void checkHead(
            int height, int width, int y0, int x0, int rows, int columns, int format, boolean known) {
        float[] hidden = Numbers.random(rows * columns * 16, 1);
        float[] weight = Numbers.random(16, 2);
        byte[] trimap = Numbers.randomTrimap(height * width, 3);
        if (hidden.length > 100) {
            Arrays.fill(hidden, 16, 32, 1000); // far out on either side
            Arrays.fill(hidden, 32, 48, -1000);
            hidden[48] = Float.NaN;
            trimap[y0 * width + x0 + 3] = 1;
        }
        double[] expected = new double[height * width];
        Arrays.fill(expected, -1); // where nothing is to be written
        int invalid = 0;
        for (int i = 0; i < rows * columns; i++) {
            double x = 0.25;
            for (int k = 0; k < 16; k++) x += (double) hidden[i * 16 + k] * weight[k];
            int at = (y0 + i / columns) * width + x0 + i % columns;
            expected[at] = 1 / (1 + Math.exp(-x));
            if (known && trimap[at] == 0) expected[at] = 0;
            if (known && trimap[at] == -1) expected[at] = 1;
            if (Double.isNaN(expected[at])) invalid++;
        }
        int bytes = new int[] {1, 2, 4}[format];
        try (NativeBuffer hiddens = NativeBuffer.of(hidden);
                NativeBuffer weights = NativeBuffer.of(weight);
                NativeBuffer trimaps = NativeBuffer.of(trimap);
                NativeBuffer alpha = NativeBuffer.emptyBytes(height * width * bytes)) {
            assertEquals(
                    invalid,
                    CpuKernels.matting_head(
                            hiddens.address(),
                            weights.address(),
                            0.25f,
                            known ? trimaps.address() : 0,
                            y0,
                            x0,
                            rows,
                            columns,
                            width,
                            alpha.address(),
                            format));
            assertAlphas(expected, alpha, format);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void convolvesToAlpha(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int format = 0; format < 3; format++)
            for (boolean known : new boolean[] {false, true}) {
                checkConvolution(1, 1, 1, 1, 0, 0, 1, format, known, type);
                for (int y = 0; y < 5; y++) checkConvolution(5, 99, 5, 90, y, 0, 90, format, known, type);
                checkConvolution(5, 99, 3, 99, 2, 80, 19, format, known, type);
            }
    }

    private static void checkConvolution(
            int height,
            int width,
            int ring,
            int alphaWidth,
            int y,
            int x0,
            int columns,
            int format,
            boolean known,
            int type) {
        float[] map = Numbers.stored(Numbers.random(height * width * 16, 1), type);
        float[] weight = Numbers.random(9 * 16, 2);
        for (int i = 0; i < weight.length; i++) weight[i] *= 0.05f;
        byte[] trimap = Numbers.randomTrimap(height * alphaWidth, 3);
        if (width > 1) {
            map[(y * width + x0 + 3) * 16] = Float.NaN;
            trimap[y * alphaWidth + x0 + 3] = 1;
        }
        double[] expected = new double[height * alphaWidth];
        Arrays.fill(expected, -1); // where nothing is to be written
        int invalid = 0;
        for (int x = x0; x < x0 + columns; x++) {
            double v = 0.5;
            for (int i = 0; i < 9 * 16; i++) {
                int row = y + i / 16 / 3 - 1;
                int column = x + i / 16 % 3 - 1;
                if (row >= 0 && row < height && column >= 0 && column < width)
                    v += (double) weight[i] * map[(row * width + column) * 16 + i % 16];
            }
            int at = y * alphaWidth + x;
            expected[at] = Math.max(0, Math.min(1, v));
            if (known && trimap[at] == 0) expected[at] = 0;
            if (known && trimap[at] == -1) expected[at] = 1;
            if (Double.isNaN(expected[at])) invalid++;
        }
        float[] held = new float[ring * width * 16];
        Arrays.fill(held, Float.NaN);
        for (int row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
            System.arraycopy(map, row * width * 16, held, row % ring * width * 16, width * 16);
        try (NativeBuffer maps = NativeBuffer.of(held, type);
                NativeBuffer weights = NativeBuffer.of(weight);
                NativeBuffer trimaps = NativeBuffer.of(trimap);
                NativeBuffer alpha = NativeBuffer.emptyBytes(height * alphaWidth * new int[] {1, 2, 4}[format])) {
            assertEquals(
                    invalid,
                    CpuKernels.alpha_convolution(
                            maps.address(),
                            type,
                            ring,
                            height,
                            width,
                            weights.address(),
                            0.5f,
                            known ? trimaps.address() : 0,
                            y,
                            x0,
                            columns,
                            alphaWidth,
                            alpha.address(),
                            format));
            assertAlphas(expected, alpha, format);
        }
    }

    /** Compares alphas; -1 stands for one that was not written. */
    private static void assertAlphas(double[] expected, NativeBuffer alpha, int format) {
        for (int i = 0; i < expected.length; i++) {
            double actual;
            if (format == 0) actual = Byte.toUnsignedInt(alpha.bytes()[i]) / 255.0;
            else if (format == 1) actual = alpha.unsignedShorts()[i] / 65535.0;
            else actual = alpha.floats()[i];
            if (expected[i] == -1) // unwritten bytes are all ones
            assertEquals(format == 2 ? Double.NaN : 1, actual);
            else if (format == 2) assertEquals(expected[i], actual, 3e-7);
            else if (!Double.isNaN(expected[i])) {
                double steps = format == 0 ? 255 : 65535;
                assertEquals(Math.rint(expected[i] * steps) / steps, actual, ties(expected[i] * steps) / steps);
            }
        }
    }

    /** 1 where a value is so near the middle of two numbers that rounding may give either, else 0 (all but exact). */
    private static double ties(double value) {
        return Math.abs(value - Math.floor(value) - 0.5) < 0.02 ? 1.001 : 1e-9;
    }
}
