package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.function.IntToLongFunction;

/**
 * Tensors of more than 2^31 elements: what is computed from rows and positions that lie far apart is what is computed from
 * the same side by side, bit by bit. Few rows are touched, so the emulator needs little memory. Kernels that take all of
 * a dense tensor (the attentions, depthwise convolutions, norms without gather) cannot be tried in this way.
 */
class LargeTensorsTest {
    private static final long ELEMENTS = (1L << 31) + (1L << 29);
    private static final int CHANNELS = 16;

    // ---------------------------------------------------------------- rows of a matrix

    /** Rows [n, columns] that lie side by side, or so far apart that the last is beyond element 2^31. */
    private static final class Rows implements AutoCloseable {
        final Device device;
        final DeviceBuffer buffer;
        final Tensor tensor;
        final int[] index;
        private final int rowBytes;

        Rows(Device device, ElementType type, int n, int columns, boolean far) {
            this(device, type, n, columns, columns, far);
        }

        /** Only the first columns of wider rows count. */
        Rows(Device device, ElementType type, int n, int columns, int pitch, boolean far) {
            this.device = device;
            rowBytes = columns * type.bytes();
            long rows = far ? ELEMENTS / pitch : n;
            long bytes = rows * pitch * type.bytes();
            assumeTrue(bytes < device.freeBytes() / 3, "a card with more memory is needed");
            buffer = device.allocate(bytes);
            tensor = buffer.tensor(type, rows, pitch);
            index = new int[n];
            for (int i = 0; i < n; i++) {
                index[i] = (int) (n == 1 ? rows - 1 : i * (rows - 1) / (n - 1));
            }
        }

        private long address(int i) {
            return tensor.pointer() + index[i] * tensor.size(1) * tensor.type().bytes();
        }

        Rows write(long seed) {
            byte[] values = random(
                    tensor.type(), index.length * rowBytes / tensor.type().bytes(), seed);
            writeBytes(device, values, rowBytes, this::address);
            return this;
        }

        byte[] read() {
            return readBytes(device, index.length, rowBytes, this::address);
        }

        @Override
        public void close() {
            buffer.close();
        }
    }

    /** Finite numbers of any sign and of sizes around 1, as bytes. */
    private static byte[] random(ElementType type, int count, long seed) {
        Random random = new Random(seed);
        ByteBuffer bytes = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.nativeOrder());
        for (int i = 0; i < count; i++) {
            int sign = random.nextInt(2) << 15;
            switch (type) {
                case FP32 -> bytes.putFloat(2 * random.nextFloat() - 1);
                case FP16 -> bytes.putShort((short) (sign | 12 + random.nextInt(3) << 10 | random.nextInt(1 << 10)));
                case BF16 -> bytes.putShort((short) (sign | 124 + random.nextInt(3) << 7 | random.nextInt(1 << 7)));
                default -> bytes.put((byte) random.nextInt());
            }
        }
        return bytes.array();
    }

    private static void writeBytes(Device device, byte[] values, int pieceBytes, IntToLongFunction address) {
        for (int i = 0; i < values.length / pieceBytes; i++) {
            device.copyToDevice(
                    address.applyAsLong(i),
                    ByteBuffer.wrap(values, i * pieceBytes, pieceBytes),
                    device.defaultStream());
        }
    }

    private static byte[] readBytes(Device device, int pieces, int pieceBytes, IntToLongFunction address) {
        byte[] values = new byte[pieces * pieceBytes];
        for (int i = 0; i < pieces; i++) {
            device.copyToHost(
                    ByteBuffer.wrap(values, i * pieceBytes, pieceBytes),
                    address.applyAsLong(i),
                    device.defaultStream());
        }
        return values;
    }

    private static TestTensor integers(Device device, int[] values) {
        TestTensor tensor = TestTensor.filled(device, I32, 0, values.length);
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(values);
        device.copyToDevice(tensor.tensor().pointer(), bytes, device.defaultStream());
        return tensor;
    }

    private static TestTensor weights(Device device, ElementType type, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        return TestTensor.of(device, type, TestMap.uniform(type, count, 99, 1), shape);
    }

    /** What a call makes of rows side by side and of rows far apart. */
    private interface Result {
        byte[] of(boolean far);
    }

    private static void assertSame(String what, Result result) {
        assertArrayEquals(result.of(false), result.of(true), what);
    }

    @DeviceTest
    void productsOfGatheredAndScatteredRows(Device device) {
        for (ElementType type : TestMap.types(device)) {
            assertSame("gemm " + type, far -> {
                try (Rows a = new Rows(device, type, 7, 64, far).write(1);
                        Rows d = new Rows(device, type, 7, 48, far).write(2);
                        TestTensor w = weights(device, type, 48, 64);
                        TestTensor from = integers(device, a.index);
                        TestTensor to = integers(device, d.index)) {
                    Gemm.Options options = Gemm.Options.NONE
                            .gather(from.tensor())
                            .scatter(to.tensor())
                            .add(d.tensor);
                    Gemm.run(device, d.tensor, a.tensor, w.tensor(), null, options, device.defaultStream());
                    return d.read();
                }
            });
        }
    }

    @DeviceTest
    void productsOfSlicesOfWideRows(Device device) {
        for (ElementType type : TestMap.types(device)) {
            assertSame("gemm " + type, far -> {
                int pitch = far ? (int) (ELEMENTS / 5 / 8 * 8) : 64;
                try (Rows a = new Rows(device, type, 5, 64, pitch, far).write(1);
                        Rows d = new Rows(device, type, 5, 48, pitch, far);
                        TestTensor w = weights(device, type, 48, 64)) {
                    Gemm.Options options = Gemm.Options.NONE.slices();
                    Gemm.run(device, d.tensor, a.tensor, w.tensor(), null, options, device.defaultStream());
                    return d.read();
                }
            });
        }
    }

    @DeviceTest
    void rowsAreGatheredAndScattered(Device device) {
        for (int columns : new int[] {CHANNELS, 7}) {
            assertSame("gather", far -> {
                try (Rows x = new Rows(device, FP32, 9, columns, far).write(1);
                        Rows out = new Rows(device, FP32, 9, columns, false);
                        TestTensor index = integers(device, x.index)) {
                    TokenRouting.gather(device, out.tensor, x.tensor, index.tensor(), null, device.defaultStream());
                    return out.read();
                }
            });
            assertSame("scatter", far -> {
                try (Rows x = new Rows(device, FP32, 9, columns, false).write(1);
                        Rows out = new Rows(device, FP32, 9, columns, far);
                        TestTensor index = integers(device, out.index)) {
                    TokenRouting.scatter(device, out.tensor, x.tensor, index.tensor(), null, device.defaultStream());
                    return out.read();
                }
            });
        }
    }

    @DeviceTest
    void normOfGatheredRows(Device device) {
        for (ElementType type : TestMap.types(device)) {
            assertSame("layer norm " + type, far -> {
                try (Rows x = new Rows(device, type, 9, CHANNELS, far).write(1);
                        Rows out = new Rows(device, type, 9, CHANNELS, false);
                        TestTensor weight = weights(device, FP32, CHANNELS);
                        TestTensor index = integers(device, x.index)) {
                    LayerNorm.gather(
                            device,
                            out.tensor,
                            x.tensor,
                            weight.tensor(),
                            weight.tensor(),
                            index.tensor(),
                            null,
                            1e-6f,
                            device.defaultStream());
                    return out.read();
                }
            });
        }
    }

    @DeviceTest
    void mergeOfCompactRows(Device device) {
        for (ElementType type : TestMap.types(device)) {
            assertSame("merge " + type, far -> {
                try (Rows x = new Rows(device, type, 8, CHANNELS, false).write(1);
                        Rows attention = new Rows(device, type, 4, CHANNELS, far).write(2);
                        Rows refinement = new Rows(device, type, 4, CHANNELS, far).write(3);
                        TestTensor gate = weights(device, FP32, CHANNELS)) {
                    int[] inverse = new int[8];
                    for (int i = 0; i < 4; i++) {
                        inverse[2 * i] = attention.index[i];
                        inverse[2 * i + 1] = ~refinement.index[i];
                    }
                    try (TestTensor ranks = integers(device, inverse)) {
                        MergeTokens.merge(
                                device,
                                x.tensor,
                                attention.tensor,
                                MergeTokens.Rows.COMPACT,
                                refinement.tensor,
                                MergeTokens.Rows.COMPACT,
                                gate.tensor(),
                                ranks.tensor(),
                                device.defaultStream());
                    }
                    return x.read();
                }
            });
        }
    }

    /** The last rows of a map, which is high or low. */
    @DeviceTest
    void depthwiseConvolutionOfTheLastRows(Device device) {
        int width = 4;
        int rows = 3;
        for (ElementType type : TestMap.types(device)) {
            assertSame("ltrm " + type, far -> {
                int height = far ? (int) (ELEMENTS / width / CHANNELS) : 8;
                int read = rows + 2;
                long rowBytes = (long) width * CHANNELS * type.bytes();
                long parts = Ltrm.partialRows(device, rows, width, CHANNELS);
                assumeTrue(height * rowBytes < device.freeBytes() / 3, "a card with more memory is needed");
                try (DeviceBuffer map = device.allocate(height * rowBytes);
                        Rows out = new Rows(device, type, rows, width * CHANNELS, false);
                        TestTensor partial = TestTensor.filled(device, FP32, 0, parts, CHANNELS);
                        TestTensor weight = weights(device, FP32, 5, 5, CHANNELS);
                        TestTensor bias = weights(device, FP32, CHANNELS)) {
                    writeBytes(
                            device,
                            random(type, read * width * CHANNELS, 1),
                            (int) rowBytes,
                            i -> map.pointer() + (height - read + i) * rowBytes);
                    Ltrm.depthwise(
                            device,
                            out.tensor.reshape(rows, width, CHANNELS),
                            partial.tensor(),
                            map.tensor(type, height, width, CHANNELS),
                            weight.tensor(),
                            bias.tensor(),
                            height,
                            height - rows,
                            device.defaultStream());
                    return out.read();
                }
            });
        }
    }

    // ---------------------------------------------------------------- maps

    /** A map whose positions lie side by side, or so far apart that the last ones are beyond element 2^31. */
    private static final class Positions implements AutoCloseable {
        final Device device;
        final DeviceBuffer buffer;
        final FeatureMap map;

        /** @param align far positions lie at multiples of so many elements, at odd numbers for 1 */
        Positions(Device device, ElementType type, int height, int width, int channels, boolean far, int align) {
            this.device = device;
            int pitch = far ? (int) (ELEMENTS / height / width / 8 * 8) + (align == 1 ? 1 : 0) : channels;
            long bytes = (long) height * width * pitch * type.bytes();
            assumeTrue(bytes < device.freeBytes() / 3, "a card with more memory is needed");
            buffer = device.allocate(bytes);
            map = new FeatureMap(buffer.tensor(type, height, width, pitch), height, channels);
        }

        private int positionBytes() {
            return map.channels() * map.type().bytes();
        }

        private long address(int position) {
            return buffer.pointer() + (long) position * map.pitch() * map.type().bytes();
        }

        Positions write(long seed) {
            byte[] values = random(map.type(), map.height() * map.width() * map.channels(), seed);
            writeBytes(device, values, positionBytes(), this::address);
            return this;
        }

        byte[] read() {
            return readBytes(device, map.height() * map.width(), positionBytes(), this::address);
        }

        @Override
        public void close() {
            buffer.close();
        }
    }

    private interface MapCall {
        void run(FeatureMap out, FeatureMap in);
    }

    /** An operator on maps of 12 x 12 positions, or smaller ones on either side. */
    private static void assertSameMaps(
            String what,
            Device device,
            ElementType type,
            int inSide,
            int inputs,
            int outSide,
            int outputs,
            MapCall call) {
        for (int align : new int[] {8, 1}) {
            assertSame(what + " " + type, far -> {
                try (Positions in = new Positions(device, type, inSide, inSide, inputs, far, align).write(1);
                        Positions out = new Positions(device, type, outSide, outSide, outputs, far, align).write(2)) {
                    call.run(out.map, in.map);
                    return out.read();
                }
            });
        }
    }

    @DeviceTest
    void convolutions(Device device) {
        Stream stream = device.defaultStream();
        for (ElementType type : TestMap.types(device)) {
            for (int outputs : new int[] {16, 32, 48, 64}) {
                try (TestTensor weight = weights(device, type, outputs, 9, 8);
                        TestTensor norm = weights(device, FP32, outputs)) {
                    MapOptions plain = MapOptions.NONE;
                    assertSameMaps(
                            "3x3",
                            device,
                            type,
                            12,
                            8,
                            12,
                            outputs,
                            (out, in) -> Conv3x3.run(device, out, in, weight.tensor(), null, 1, plain, stream));
                    assertSameMaps(
                            "3x3, stride 2",
                            device,
                            type,
                            12,
                            8,
                            6,
                            outputs,
                            (out, in) -> Conv3x3.run(device, out, in, weight.tensor(), null, 2, plain, stream));
                    if (Conv3x3.takesNorm(type, outputs, 1)) {
                        MapOptions normed = plain.norm(norm.tensor(), norm.tensor(), 1e-6f);
                        assertSameMaps(
                                "3x3, norm",
                                device,
                                type,
                                12,
                                8,
                                12,
                                outputs,
                                (out, in) -> Conv3x3.run(device, out, in, weight.tensor(), null, 1, normed, stream));
                    }
                }
            }
            try (TestTensor weight = weights(device, type, 24, 4, 8)) {
                assertSameMaps(
                        "2x2",
                        device,
                        type,
                        12,
                        8,
                        6,
                        24,
                        (out, in) -> Conv2x2.run(device, out, in, weight.tensor(), null, MapOptions.NONE, stream));
            }
        }
    }

    @DeviceTest
    void detailCapture(Device device) {
        Stream stream = device.defaultStream();
        for (ElementType type : TestMap.types(device)) {
            try (TestTensor weight = weights(device, type, 16, 9, 24);
                    TestTensor headWeight = weights(device, type, 16, 9, 32);
                    TestTensor alphaWeight = weights(device, type, 1, 9, 24);
                    TestTensor last = weights(device, FP32, 16);
                    TestTensor faults = TestTensor.filled(device, I32, 0, 1);
                    TestTensor alpha = TestTensor.filled(device, FP32, 0, 12, 12)) {
                assertSameMaps(
                        "fusion",
                        device,
                        type,
                        6,
                        24,
                        12,
                        16,
                        (out, in) ->
                                DetailCapture.fuse(device, out, in, weight.tensor(), null, MapOptions.NONE, stream));
                assertSame("head " + type, far -> {
                    try (Positions in = new Positions(device, type, 12, 12, 32, far, 8).write(1)) {
                        DetailCapture.head(
                                device,
                                alpha.tensor(),
                                in.map,
                                headWeight.tensor(),
                                null,
                                last.tensor(),
                                0,
                                null,
                                faults.tensor(),
                                MapOptions.NONE,
                                stream);
                        return bytes(alpha);
                    }
                });
                assertSame("alpha " + type, far -> {
                    try (Positions in = new Positions(device, type, 12, 12, 24, far, 8).write(1)) {
                        DetailCapture.alpha(
                                device,
                                alpha.tensor(),
                                in.map,
                                alphaWeight.tensor(),
                                0.5f,
                                null,
                                faults.tensor(),
                                MapOptions.NONE,
                                stream);
                        return bytes(alpha);
                    }
                });
            }
        }
    }

    private static byte[] bytes(TestTensor values) {
        ByteBuffer bytes = ByteBuffer.allocate((int) values.tensor().bytes());
        bytes.asFloatBuffer().put(values.read());
        return bytes.array();
    }

    @DeviceTest
    void resampling(Device device) {
        Stream stream = device.defaultStream();
        for (ElementType type : TestMap.types(device)) {
            assertSameMaps("resample", device, type, 6, 24, 12, 24, (out, in) -> Resample.run(device, out, in, stream));
            try (TestTensor factors = weights(device, FP32, 24)) {
                assertSameMaps(
                        "scale",
                        device,
                        type,
                        12,
                        24,
                        12,
                        24,
                        (out, in) -> VectorLayers.scale(device, out, in, factors.tensor(), stream));
            }
            assertSame("pooling " + type, far -> {
                long scratchBytes = Pooling.scratchBytes(12, 24, 3);
                try (Positions in = new Positions(device, type, 12, 12, 24, far, 8).write(1);
                        TestTensor out = TestTensor.filled(device, FP32, 0, 3, 3, 24);
                        DeviceBuffer scratch = device.allocate(scratchBytes)) {
                    Pooling.run(device, out.tensor(), in.map, scratch.tensor(U8, scratchBytes), stream);
                    return bytes(out);
                }
            });
        }
    }

    /** Photos whose rows lie far apart, and maps beside them. */
    @DeviceTest
    void photos(Device device) {
        Stream stream = device.defaultStream();
        float[] ones = {1, 1, 1};
        for (ElementType type : TestMap.types(device)) {
            try (TestTensor trimap = TestTensor.filled(device, U8, 128, 12, 12);
                    TestTensor weight = weights(device, type, 16, 9, 4);
                    TestTensor lowWeight = weights(device, type, 16, 9, 24)) {
                assertSame("photo " + type, far -> {
                    try (Rows rgb = new Rows(device, U8, 12, 36, far ? (int) (ELEMENTS / 12) : 36, far).write(1);
                            Positions planes = new Positions(device, type, 12, 12, 6, far, 8);
                            Positions out = new Positions(device, type, 6, 6, 16, false, 8);
                            Positions low = new Positions(device, type, 6, 6, 24, false, 8).write(2);
                            Positions fused = new Positions(device, type, 12, 12, 16, false, 8);
                            Rows patches = new Rows(device, type, 1, 1024, false)) {
                        PhotoPlanes photo = new PhotoPlanes(rgb.tensor, trimap.tensor(), true, ones, ones);
                        ImagePlanes.run(device, planes.map, photo, stream);
                        Conv3x3.photo(device, out.map, photo, weight.tensor(), null, 2, MapOptions.NONE, stream);
                        DetailCapture.fusePhoto(
                                device,
                                fused.map,
                                low.map,
                                lowWeight.tensor(),
                                photo,
                                weight.tensor(),
                                null,
                                MapOptions.NONE,
                                stream);
                        EmbedPatches.unfold(
                                device,
                                patches.tensor,
                                rgb.tensor,
                                trimap.tensor(),
                                EmbedPatches.Planes.exact(new float[3], ones, 8, true),
                                1,
                                0,
                                stream);
                        return concatenated(planes.read(), out.read(), fused.read(), patches.read());
                    }
                });
            }
        }
    }

    private static byte[] concatenated(byte[]... parts) {
        int bytes = 0;
        for (byte[] part : parts) {
            bytes += part.length;
        }
        ByteBuffer all = ByteBuffer.allocate(bytes);
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
