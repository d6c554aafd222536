package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.U16;
import static org.jmatte.kernels.ElementType.U8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class EmbedPatchesTest {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};

    // ---------------------------------------------------------------- pixels

    /** A photo whose rows lie {@code pitch} samples apart, and its trimap. */
    private static final class Image {
        final ElementType type;
        final int height;
        final int width;
        final int pitch;
        final float[] photo;
        final float[] trimap;

        Image(ElementType type, int height, int width, int pitch) {
            this.type = type;
            this.height = height;
            this.width = width;
            this.pitch = pitch;
            Random random = new Random(height + width);
            photo = new float[height * pitch];
            for (int i = 0; i < photo.length; i++) {
                photo[i] = random.nextInt(type == U8 ? 256 : 65536);
            }
            trimap = new float[height * width];
            for (int i = 0; i < trimap.length; i++) {
                int v = random.nextInt(4);
                trimap[i] = v == 0 ? 0 : v == 1 ? 255 : random.nextInt(256);
            }
        }

        /** The network's plane, as the formula has it; 0 outside. */
        double plane(int y, int x, int plane, boolean snap) {
            if (y >= height || x >= width) {
                return 0;
            }
            if (plane == 3) {
                double v = trimap[y * width + x];
                return snap ? v == 0 ? 0 : v == 255 ? 1 : 0.5 : v / 255;
            }
            double v = photo[y * pitch + 3 * x + plane] / (type == U8 ? 255.0 : 65535.0);
            return (v - MEAN[plane]) / STD[plane];
        }
    }

    /** How much of a plane's value may be lost. */
    private static double allowed(ElementType type, double value, double offset, boolean exact, ElementType photo) {
        double size = Math.abs(value) + Math.abs(offset);
        if (exact && photo == U8) {
            return 1e-6 * (1 + size) + TestTensor.unit(type) * Math.abs(offset); // the padding alone is rounded
        }
        return 2 * TestTensor.unit(type) * size + 1e-6;
    }

    private static void unfold(
            Device device,
            Image image,
            ElementType to,
            boolean exact,
            boolean snap,
            int gridWidth,
            int first,
            int tokens) {
        int bits = image.type == U8 ? 8 : 16;
        EmbedPatches.Planes planes = exact
                ? EmbedPatches.Planes.exact(MEAN, STD, bits, snap)
                : EmbedPatches.Planes.normalised(MEAN, STD, bits, snap);
        Tolerance tolerance = new Tolerance("patches of " + image.height + " x " + image.width + " " + image.type
                + " to " + to + ", exact " + exact);
        boolean dense = image.pitch == 3 * image.width;
        long[] shape = dense ? new long[] {image.height, image.width, 3} : new long[] {image.height, image.pitch};
        try (TestTensor photo = TestTensor.of(device, image.type, image.photo, shape);
                TestTensor trimap = TestTensor.of(device, U8, image.trimap, image.height, image.width);
                TestTensor out = TestTensor.filled(device, to, Float.NaN, tokens, 1024)) {
            EmbedPatches.unfold(
                    device,
                    out.tensor(),
                    photo.tensor(),
                    trimap.tensor(),
                    planes,
                    gridWidth,
                    first,
                    device.defaultStream());
            float[] got = out.read();
            for (int i = 0; i < got.length; i++) {
                int token = first + i / 1024;
                int y = token / gridWidth * 16 + i / 64 % 16;
                int x = token % gridWidth * 16 + i / 4 % 16;
                int plane = i % 4;
                double expected = image.plane(y, x, plane, snap);
                double network = got[i] * planes.factor(plane) + planes.offset(plane);
                tolerance.check(
                        expected,
                        (float) network,
                        allowed(to, expected, planes.offset(plane), exact, image.type),
                        y + ", " + x + ", plane " + plane);
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void unfoldsAnySize(Device device) {
        for (ElementType to : TestMap.types(device)) {
            for (ElementType from : new ElementType[] {U8, U16}) {
                unfold(device, new Image(from, 1, 1, 3), to, true, false, 2, 0, 4);
                unfold(device, new Image(from, 19, 33, 99), to, true, true, 4, 0, 8);
                unfold(device, new Image(from, 19, 33, 99), to, false, false, 4, 3, 4);
                unfold(device, new Image(from, 32, 64, 192), to, true, false, 6, 0, 24);
                unfold(device, new Image(from, 40, 62, 200), to, true, true, 4, 5, 7);
                unfold(device, new Image(from, 17, 1030, 3091), to, false, true, 66, 60, 70);
            }
        }
    }

    /** Every value that 8 bits can have is the same in all types. */
    @DeviceTest
    void eightBitsAreExact(Device device) {
        float[] photo = new float[256 * 3];
        float[] trimap = new float[256];
        for (int v = 0; v < 256; v++) {
            photo[3 * v] = v;
            photo[3 * v + 1] = 255 - v;
            photo[3 * v + 2] = v * 7 % 256;
            trimap[v] = v;
        }
        for (boolean snap : new boolean[] {false, true}) {
            EmbedPatches.Planes planes = EmbedPatches.Planes.exact(MEAN, STD, 8, snap);
            for (ElementType type : TestMap.types(device)) {
                try (TestTensor p = TestTensor.of(device, U8, photo, 1, 256, 3);
                        TestTensor t = TestTensor.of(device, U8, trimap, 1, 256);
                        TestTensor out = TestTensor.filled(device, type, Float.NaN, 16, 1024)) {
                    EmbedPatches.unfold(
                            device, out.tensor(), p.tensor(), t.tensor(), planes, 16, 0, device.defaultStream());
                    float[] got = out.read();
                    for (int v = 0; v < 256; v++) {
                        int at = v / 16 * 1024 + v % 16 * 4;
                        assertEquals((photo[3 * v] - 124) / 64, got[at]);
                        assertEquals((photo[3 * v + 1] - 116) / 64, got[at + 1]);
                        assertEquals((photo[3 * v + 2] - 104) / 64, got[at + 2]);
                        float known = !snap ? v : v == 0 ? 0 : v == 255 ? 255 : 127.5f;
                        assertEquals(known / 256, got[at + 3]);
                    }
                }
            }
        }
    }

    // ---------------------------------------------------------------- position

    /** PyTorch's bicubic weights, in double. */
    private static double cubic(double distance) {
        double a = -0.75;
        double d = Math.abs(distance);
        return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }

    private static double resized(float[] table, int channels, int y, int x, int height, int width, int c) {
        double sourceY = (y + 0.5) * 14 / height - 0.5;
        double sourceX = (x + 0.5) * 14 / width - 0.5;
        double sum = 0;
        for (int i = (int) Math.floor(sourceY) - 1; i <= Math.floor(sourceY) + 2; i++) {
            for (int j = (int) Math.floor(sourceX) - 1; j <= Math.floor(sourceX) + 2; j++) {
                int row = Math.max(0, Math.min(13, i));
                int column = Math.max(0, Math.min(13, j));
                sum += cubic(sourceY - i) * cubic(sourceX - j) * table[(row * 14 + column) * channels + c];
            }
        }
        return sum;
    }

    private static void position(
            Device device, ElementType type, int height, int width, int channels, int first, int tokens) {
        float[] table = TestMap.uniform(FP32, 196 * channels, 1, 1);
        float[] x = TestMap.uniform(type, tokens * channels, 2, 1);
        Tolerance tolerance = new Tolerance("position " + height + " x " + width + " x " + channels + " " + type);
        try (TestTensor t = TestTensor.of(device, FP32, table, 196, channels);
                TestTensor stream = TestTensor.of(device, type, x, tokens, channels)) {
            EmbedPatches.position(device, stream.tensor(), t.tensor(), height, width, first, device.defaultStream());
            float[] got = stream.read();
            for (int i = 0; i < got.length; i++) {
                int token = first + i / channels;
                double v = x[i] + resized(table, channels, token / width, token % width, height, width, i % channels);
                tolerance.check(v, got[i], 2 * TestTensor.unit(type) * Math.abs(v) + 1e-5, token + ", " + i % channels);
            }
        }
        tolerance.report();
    }

    @DeviceTest
    void positionsOfAnyGrid(Device device) {
        for (ElementType type : TestMap.types(device)) {
            position(device, type, 14, 14, 64, 0, 196);
            position(device, type, 1, 1, 1, 0, 1);
            position(device, type, 8, 22, 19, 0, 176);
            position(device, type, 37, 5, 130, 0, 185);
            position(device, type, 6, 30, 384, 17, 61); // starts and ends within a row
            position(device, type, 6, 30, 99, 40, 9); // a part of one row
            position(device, type, 6, 30, 64, 40, 0);
        }
    }

    /** On its own grid the table is added as it is. */
    @DeviceTest
    void ownGridIsExact(Device device) {
        float[] table = TestMap.uniform(FP32, 196 * 8, 1, 1);
        try (TestTensor t = TestTensor.of(device, FP32, table, 196, 8);
                TestTensor x = TestTensor.filled(device, FP32, 0, 196, 8)) {
            EmbedPatches.position(device, x.tensor(), t.tensor(), 14, 14, 0, device.defaultStream());
            assertArrayEquals(table, x.read());
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (ElementType type : TestMap.types(device)) {
                unfold(device, new Image(U8, 19, 33, 99), type, true, true, 4, 3, 4);
                unfold(device, new Image(U16, 7, 37, 120), type, true, false, 4, 0, 3);
                position(device, type, 6, 9, 19, 3, 17);
                position(device, type, 6, 9, 136, 0, 11);
            }
        });
    }

    // ---------------------------------------------------------------- launches, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    @Test
    void countsWhatItMoves() {
        EmbedPatches.Planes planes = EmbedPatches.Planes.exact(MEAN, STD, 8, false);
        Launch unfold = EmbedPatches.unfoldLaunch(
                tensor(FP16, 99, 1024), tensor(U8, 300, 200, 3), tensor(U8, 300, 200), planes, 14, 0);
        assertEquals("embed_patches_unfold_u8_fp16", unfold.kernel());
        assertEquals(2, unfold.gridX());
        assertEquals(4, unfold.gridY());
        assertEquals(99 * (1024 + 2048), unfold.bytes());
        Launch position = EmbedPatches.positionLaunch(tensor(FP32, 61, 384), tensor(FP32, 196, 384), 6, 30, 17);
        assertEquals("embed_patches_position_fp32", position.kernel());
        assertEquals(3, position.gridX());
        assertEquals(3, position.gridY());
        assertEquals(2 * 61 * 384 * 4 + 196 * 384 * 4, position.bytes());
    }

    private static void refuses(String message, Consumer<Device> call) {
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(
                    "embed_patches: " + message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    private static Consumer<Device> unfold(Tensor out, Tensor photo, Tensor trimap, int gridWidth, long first) {
        EmbedPatches.Planes planes = EmbedPatches.Planes.exact(MEAN, STD, 8, false);
        return d -> EmbedPatches.unfold(d, out, photo, trimap, planes, gridWidth, first, d.defaultStream());
    }

    private static Consumer<Device> position(Tensor x, Tensor table, int height, int width, long first) {
        return d -> EmbedPatches.position(d, x, table, height, width, first, d.defaultStream());
    }

    @Test
    void refusals() {
        Tensor out = tensor(FP16, 4, 1024);
        Tensor photo = tensor(U8, 20, 30, 3);
        Tensor trimap = tensor(U8, 20, 30);
        refuses(
                "out: expected [tokens, 1024] = [*, 1024], got [4, 768] fp16",
                unfold(tensor(FP16, 4, 768), photo, trimap, 2, 0));
        refuses("photo: expected u8 or u16, got [20, 30, 3] fp16", unfold(out, tensor(FP16, 20, 30, 3), trimap, 2, 0));
        refuses(
                "photo: expected [height, width, 3] = [20, 30, 3], got [20, 31, 3] u8",
                unfold(out, tensor(U8, 20, 31, 3), trimap, 2, 0));
        refuses("pitch: expected 90 to 9223372036854775807, got 89", unfold(out, tensor(U8, 20, 89), trimap, 2, 0));
        refuses("trimap: expected [height, width] u8, got [20, 30] u16", unfold(out, photo, tensor(U16, 20, 30), 2, 0));
        refuses("gridWidth: expected 1 to 2147483583, got 0", unfold(out, photo, trimap, 0, 0));
        refuses("first: expected 0 to 2147483583, got -1", unfold(out, photo, trimap, 2, -1));
        refuses(
                "planes: expected a value, got null",
                d -> EmbedPatches.unfold(d, out, photo, trimap, null, 2, 0, d.defaultStream()));
        refuses("bits: expected 8 or 16, got 12", d -> EmbedPatches.Planes.exact(MEAN, STD, 12, false));
        Tensor table = tensor(FP32, 196, 64);
        refuses(
                "table: expected [196, C] = [196, 64] fp32, got [197, 64] fp32",
                position(tensor(FP16, 9, 64), tensor(FP32, 197, 64), 3, 3, 0));
        refuses("first + tokens: expected 0 to 9, got 10", position(tensor(FP16, 9, 64), table, 3, 3, 1));
        refuses("x: expected [tokens, C], got [9] fp16", position(tensor(FP16, 9), table, 3, 3, 0));
    }
}
