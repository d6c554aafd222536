package org.jmatte.cpu;

import org.jmatte.bindings.cpu.CpuKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Input planes from pixels, with padding, against their definition. */
class InputPlanesTest {
    private static final int PLANES = 8;
    private static final float[] SCALE = {0.017f, 0.018f, 0.019f};
    private static final float[] SHIFT = {-2.1f, -2.0f, -1.8f};

    @AfterEach
    void restoreIsa() {
        Numbers.restoreIsa();
    }

    @ParameterizedTest
    @MethodSource("org.jmatte.cpu.Numbers#isasAndTypes")
    void equalTheDefinition(int isa, int type) {
        CpuKernels.use_isa(isa);
        for (int bits : new int[] {8, 16}) {
            check(1, 1, bits, type);
            check(3, 31, bits, type);
            check(32, 33, bits, type);
            check(45, 99, bits, type);
        }
    }

    private static void check(int height, int width, int bits, int type) {
        int area = height * width;
        byte[] bytes = Numbers.randomBytes(3 * area, 1);
        short[] shorts = new short[3 * area];
        for (int i = 0; i < shorts.length; i++) shorts[i] = (short) (257 * i);
        byte[] trimap = Numbers.randomTrimap(area, 2);
        int paddedHeight = (height + 31) / 32 * 32;
        int paddedWidth = (width + 31) / 32 * 32;
        try (NativeBuffer photo = bits == 8 ? NativeBuffer.of(bytes) : NativeBuffer.of(shorts);
                NativeBuffer known = NativeBuffer.of(trimap);
                NativeBuffer scale = NativeBuffer.of(SCALE);
                NativeBuffer shift = NativeBuffer.of(SHIFT)) {
            for (int y = 0; y < paddedHeight; y++)
                for (int first : new int[] {0, paddedWidth / 3}) {
                    int columns = paddedWidth - first;
                    double[] expected = new double[columns * PLANES];
                    for (int x = first; x < paddedWidth; x++) {
                        int at = inside(y, height) * width + inside(x, width);
                        for (int c = 0; c < 3; c++) {
                            int value = bits == 8
                                    ? Byte.toUnsignedInt(bytes[3 * at + c])
                                    : Short.toUnsignedInt(shorts[3 * at + c]);
                            expected[(x - first) * PLANES + c] = (double) value * SCALE[c] + SHIFT[c];
                        }
                        int plane = trimap[at] == 0 ? 3 : trimap[at] == -1 ? 5 : 4;
                        expected[(x - first) * PLANES + plane] = 1;
                    }
                    try (NativeBuffer out = NativeBuffer.empty(expected.length, type)) {
                        CpuKernels.input_planes(
                                photo.address(),
                                bits,
                                3L * width * bits / 8,
                                known.address(),
                                height,
                                width,
                                scale.address(),
                                shift.address(),
                                y,
                                first,
                                columns,
                                out.address(),
                                type);
                        Numbers.assertClose(expected, out.floats(type), 1e-6, type);
                    }
                }
        }
    }

    /** Reflected without the edge; the edge repeated where a side is too short for that. */
    private static int inside(int at, int size) {
        if (at < size) return at;
        return size < 32 ? size - 1 : size - 2 - (at - size);
    }
}
