package org.jmatte.kernels;

import java.util.Random;

/** A photo and trimap of random bytes, and its planes as a type stores them. */
final class TestPhoto implements AutoCloseable {
    private static final int PADDING = 5; // samples behind a row

    private static final float[] SHIFT = {-2.1f, -2.0f, -1.8f};

    private final float[] rgb;
    final float[] trimap;
    private final int bits;
    private final boolean snap;
    private final float[] scale;
    private final int height;
    private final int width;
    private final TestTensor rgbOnDevice;
    private final TestTensor trimapOnDevice;

    TestPhoto(Device device, int height, int width, int bits, boolean snap, long seed) {
        this.height = height;
        this.width = width;
        this.bits = bits;
        this.snap = snap;
        int samples = 3 * width + PADDING;
        float largest = (1 << bits) - 1;
        scale = new float[] {4.4f / largest, 4.5f / largest, 4.6f / largest};
        Random random = new Random(seed);
        rgb = new float[height * samples];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = random.nextInt(1 << bits);
        }
        trimap = new float[height * width];
        for (int i = 0; i < trimap.length; i++) {
            int kind = random.nextInt(3);
            trimap[i] = kind == 0 ? 0 : kind == 1 ? 255 : random.nextInt(256);
        }
        ElementType type = bits == 8 ? ElementType.U8 : ElementType.U16;
        rgbOnDevice = TestTensor.of(device, type, rgb, height, samples);
        trimapOnDevice = TestTensor.of(device, ElementType.U8, trimap, height, width);
    }

    PhotoPlanes planes() {
        return new PhotoPlanes(rgbOnDevice.tensor(), trimapOnDevice.tensor(), snap, scale, SHIFT);
    }

    Tensor trimapOnDevice() {
        return trimapOnDevice.tensor();
    }

    TestMap map(ElementType type) {
        TestMap map = new TestMap(type, height, width, 4);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    float sample = rgb[y * (3 * width + PADDING) + 3 * x + c];
                    map.values[map.at(y, x) + c] = TestTensor.round(type, Math.fma(sample, scale[c], SHIFT[c]));
                }
                float known = trimap[y * width + x];
                double plane = snap && known != 0 && known != 255 ? 0.5 : known / 255.0;
                map.values[map.at(y, x) + 3] = TestTensor.round(type, (float) plane);
            }
        }
        return map;
    }

    @Override
    public void close() {
        rgbOnDevice.close();
        trimapOnDevice.close();
    }
}
