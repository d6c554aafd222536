package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntBinaryOperator;

/** A feature map [height, width, channels] on the host, its values as a type stores them. */
final class TestMap {
    /** What outputs hold before. */
    private static final float UNTOUCHED = 7.5f;

    final ElementType type;
    final int height;
    final int width;
    final int channels;
    final float[] values;

    TestMap(ElementType type, int height, int width, int channels) {
        this.type = type;
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.values = new float[height * width * channels];
    }

    /** What a device's kernels take. */
    static List<ElementType> types(Device device) {
        List<ElementType> all = List.of(ElementType.FP32, ElementType.FP16, ElementType.BF16);
        return device.architecture() < 80 ? all.subList(0, 2) : all;
    }

    /** Values between -1 and 1. */
    static TestMap random(ElementType type, int height, int width, int channels, long seed) {
        TestMap map = new TestMap(type, height, width, channels);
        System.arraycopy(uniform(type, map.values.length, seed, 1), 0, map.values, 0, map.values.length);
        return map;
    }

    /** One for results. */
    static TestMap untouched(ElementType type, int height, int width, int channels) {
        TestMap map = new TestMap(type, height, width, channels);
        Arrays.fill(map.values, UNTOUCHED);
        return map;
    }

    /** Values between -size and size, as the type stores them. */
    static float[] uniform(ElementType type, int count, long seed, double size) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = TestTensor.round(type, (float) ((2 * random.nextDouble() - 1) * size));
        }
        return values;
    }

    int at(int y, int x) {
        return (y * width + x) * channels;
    }

    /** A value; zero outside. */
    float get(int y, int x, int c) {
        return y < 0 || y >= height || x < 0 || x >= width ? 0 : values[at(y, x) + c];
    }

    /** All rows and no more channels. */
    OnDevice upload(Device device) {
        return upload(device, Math.max(1, height), 0, channels);
    }

    /** Rows {@code from} to {@code from + ring - 1} in a ring; the pitch's further channels are not numbers. */
    OnDevice upload(Device device, int ring, int from, int pitch) {
        float[] memory = new float[ring * width * pitch];
        Arrays.fill(memory, Float.NaN);
        for (int y = from; y < Math.min(height, from + ring); y++) {
            for (int x = 0; x < width; x++) {
                System.arraycopy(values, at(y, x), memory, (y % ring * width + x) * pitch, channels);
            }
        }
        return new OnDevice(this, from, TestTensor.of(device, type, memory, ring, width, pitch));
    }

    /** A value that a kernel should have written. */
    @FunctionalInterface
    interface Expected {
        void check(int y, int x, int c, float got);
    }

    /** The map in device memory. */
    record OnDevice(TestMap host, int from, TestTensor memory) implements AutoCloseable {
        FeatureMap map() {
            return new FeatureMap(memory.tensor(), host.height, host.channels);
        }

        /** Checks wanted positions by {@code expected}, and that all others still hold what was uploaded. */
        void check(IntBinaryOperator wanted, Expected expected) {
            float[] got = memory.read();
            FeatureMap map = map();
            for (int y = from; y < Math.min(host.height, from + map.ring()); y++) {
                for (int x = 0; x < host.width; x++) {
                    int at = (y % map.ring() * host.width + x) * map.pitch();
                    boolean here = wanted.applyAsInt(y, x) != 0;
                    for (int c = 0; c < map.pitch(); c++) {
                        if (here && c < host.channels) {
                            expected.check(y, x, c, got[at + c]);
                        } else {
                            float before = c < host.channels ? host.get(y, x, c) : Float.NaN;
                            assertEquals(before, got[at + c], "untouched at " + y + ", " + x + ", " + c);
                        }
                    }
                }
            }
        }

        @Override
        public void close() {
            memory.close();
        }
    }
}
