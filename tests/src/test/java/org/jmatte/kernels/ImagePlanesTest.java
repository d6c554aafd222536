package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.U8;
import static org.jmatte.kernels.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ImagePlanesTest {
    private static int reflected(int i, int size) {
        return i < size ? i : 2 * (size - 1) - i;
    }

    private static void check(TestMap.OnDevice out, TestPhoto photo, TestMap planes, Wanted wanted) {
        out.check(wanted, (y, x, c, got) -> {
            int fromY = reflected(y, planes.height);
            int fromX = reflected(x, planes.width);
            float known = photo.trimap[fromY * planes.width + fromX];
            float expected =
                    switch (c) {
                        case 0, 1, 2 -> planes.get(fromY, fromX, c);
                        case 3 -> known == 0 ? 1 : 0;
                        case 4 -> known != 0 && known != 255 ? 1 : 0;
                        case 5 -> known == 255 ? 1 : 0;
                        default -> 0;
                    };
            assertEquals(expected, got, y + ", " + x + ", " + c);
        });
    }

    private static void run(
            Device device, ElementType type, int height, int width, int bits, int outHeight, int outWidth, int planes) {
        TestMap out = TestMap.untouched(type, outHeight, outWidth, planes);
        try (TestPhoto photo = new TestPhoto(device, height, width, bits, true, 1);
                TestMap.OnDevice r = out.upload(device, outHeight, 0, planes + planes % 2)) {
            ImagePlanes.run(device, r.map(), photo.planes(), device.defaultStream());
            check(r, photo, photo.map(type), Wanted.rows(0, outHeight));
        }
    }

    @DeviceTest
    void anySize(Device device) {
        for (ElementType type : TestMap.types(device)) {
            run(device, type, 1, 1, 8, 1, 1, 6);
            run(device, type, 33, 37, 8, 64, 64, 6);
            run(device, type, 19, 500, 16, 20, 512, 8);
            run(device, type, 7, 3, 8, 13, 5, 7);
        }
    }

    @DeviceTest
    void rowsOfRingsAndSlices(Device device) {
        for (ElementType type : TestMap.types(device)) {
            TestMap out = TestMap.untouched(type, 32, 40, 6);
            try (TestPhoto photo = new TestPhoto(device, 20, 39, 8, false, 2);
                    TestMap.OnDevice r = out.upload(device, 9, 14, 31)) {
                ImagePlanes.rows(device, r.map(), photo.planes(), 15, 23, device.defaultStream());
                check(r, photo, photo.map(type), Wanted.rows(15, 23));
            }
        }
    }

    @Test
    void checkedAccesses() {
        try (Device device = TestDevices.emulated(75, true)) {
            for (ElementType type : TestMap.types(device)) {
                run(device, type, 5, 7, 8, 9, 13, 7);
                run(device, type, 5, 7, 16, 5, 8, 8);
            }
        }
    }

    @Test
    void badArgumentsAreRefused() {
        try (Device device = TestDevices.emulated(80, false);
                DeviceBuffer memory = device.allocate(1 << 20)) {
            PhotoPlanes photo = new PhotoPlanes(
                    memory.tensorAt(0, U8, 8, 30),
                    memory.tensorAt(1 << 12, U8, 8, 10),
                    false,
                    new float[3],
                    new float[3]);
            Stream stream = device.defaultStream();
            assertRefused(
                    "image_planes: H: expected 0 to 15, got 16",
                    () -> ImagePlanes.run(
                            device, FeatureMap.of(memory.tensorAt(1 << 16, FP16, 16, 10, 6)), photo, stream));
            assertRefused(
                    "image_planes: W: expected 0 to 19, got 20",
                    () -> ImagePlanes.run(
                            device, FeatureMap.of(memory.tensorAt(1 << 16, FP16, 15, 20, 6)), photo, stream));
            assertRefused(
                    "image_planes: channels: expected 6 to 2147483647, got 5",
                    () -> ImagePlanes.run(
                            device, FeatureMap.of(memory.tensorAt(1 << 16, FP16, 15, 19, 5)), photo, stream));
            assertRefused(
                    "image_planes: photo: expected a value, got null",
                    () -> ImagePlanes.run(
                            device, FeatureMap.of(memory.tensorAt(1 << 16, FP16, 15, 19, 6)), null, stream));
            assertRefused(
                    "photo: samples of a row: expected 33 to 9223372036854775807, got 30",
                    () -> new PhotoPlanes(
                            photo.rgb(), memory.tensorAt(1 << 12, U8, 8, 11), false, new float[3], new float[3]));
            assertRefused(
                    "photo: scale: expected 3 numbers, got 4",
                    () -> new PhotoPlanes(photo.rgb(), photo.trimap(), false, new float[4], new float[3]));
        }
    }
}
