package org.jmatte.vendor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.Devices;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmulatorOptions;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Gemm;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.VendorLibrary;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What cuBLAS and cuDNN are asked for, against our kernels on the emulator: both libraries are plain loops here, over
 * column-major matrices and over strided maps, as their manuals define them. None of it needs a card.
 */
class NvidiaLibrariesTest {
    private static final float TOLERANCE = 1e-4f;

    private final SplittableRandom random = new SplittableRandom(1);
    private Device device;
    private int calls;
    private VendorLibrary library;

    @BeforeEach
    void open() {
        device = Devices.emulated(EmulatorOptions.sm(80));
        library = new NvidiaLibraries(new PlainCublas(), new PlainCudnn(), Runnable::run);
    }

    @AfterEach
    void close() {
        device.close();
    }

    @ParameterizedTest
    @CsvSource({"7, 5, 3", "19, 64, 33", "1, 1, 1"})
    void productsAreOurs(int m, int n, int k) {
        Tensor a = random(m, k);
        Tensor w = random(n, k);
        float[] ours = product(a, w, Gemm.Options.NONE, false);
        device.useLibrary(library);
        assertArrayEquals(ours, product(a, w, Gemm.Options.NONE, false), TOLERANCE);
        assertEquals(1, calls);
    }

    @Test
    void sumsAreOurs() {
        Tensor a = random(9, 6);
        Tensor w = random(11, 6);
        float[] ours = product(a, w, Gemm.Options.NONE, true);
        device.useLibrary(library);
        assertArrayEquals(ours, product(a, w, Gemm.Options.NONE, true), TOLERANCE);
        assertEquals(2, calls);
    }

    @Test
    void whatHasAnEpilogueStaysWithUs() {
        Tensor a = random(9, 6);
        Tensor w = random(11, 6);
        float[] ours = product(a, w, Gemm.Options.NONE.relu(), false);
        device.useLibrary(library);
        assertArrayEquals(ours, product(a, w, Gemm.Options.NONE.relu(), false));
        FeatureMap in = FeatureMap.of(random(5, 6, 4));
        convolution(in, random(8, 9, 4), 1, MapOptions.NONE.rows(1, 3));
        assertEquals(0, calls);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void convolutionsAreOurs(int stride) {
        FeatureMap in = FeatureMap.of(random(7, 10, 12)).slice(4, 5);
        Tensor weight = random(6, 9, 5);
        float[] ours = convolution(in, weight, stride, MapOptions.NONE);
        device.useLibrary(library);
        assertArrayEquals(ours, convolution(in, weight, stride, MapOptions.NONE), TOLERANCE);
        assertEquals(1, calls);
    }

    @Test
    void withoutCudnnConvolutionsStayWithUs() {
        device.useLibrary(new NvidiaLibraries(new PlainCublas(), null, Runnable::run));
        convolution(FeatureMap.of(random(4, 4, 4)), random(4, 9, 4), 1, MapOptions.NONE);
        assertEquals(0, calls);
    }

    @Test
    void needACard() {
        String message = assertThrows(DeviceException.class, () -> VendorLibrary.open(device))
                .getMessage();
        assertTrue(message.startsWith("cuBLAS: expected a card, got "), message);
    }

    /** Where there is no CUDA; elsewhere this test has nothing to see. */
    @Test
    void sayWhatIsMissing() {
        assumeTrue(Files.notExists(Path.of("/proc/driver/nvidia/version")));
        String message = assertThrows(DeviceException.class, NvidiaLibraries.Provider::loadCublas)
                .getMessage();
        assertTrue(message.startsWith("cuBLAS does not load ("), message);
        assertTrue(message.endsWith("or leave products to our own kernels"), message);
    }

    private float[] product(Tensor a, Tensor w, Gemm.Options options, boolean sum) {
        Tensor d = uploaded(new float[(int) (a.size(0) * w.size(0))], a.size(0), w.size(0));
        for (int i = 0; i < (sum ? 2 : 1); i++) { // a sum has something to add to the second time
            Gemm.run(device, d, a, w, null, sum ? options.add(d) : options, device.defaultStream());
        }
        return downloaded(d.pointer(), (int) d.elements());
    }

    private float[] convolution(FeatureMap in, Tensor weight, int stride, MapOptions options) {
        int height = (in.height() + stride - 1) / stride;
        int width = (in.width() + stride - 1) / stride;
        int channels = (int) weight.size(0);
        Tensor out = uploaded(new float[height * width * channels], height, width, channels);
        Conv3x3.run(device, FeatureMap.of(out), in, weight, null, stride, options, device.defaultStream());
        return downloaded(out.pointer(), (int) out.elements());
    }

    private Tensor random(long... shape) {
        float[] values = new float
                [(int) Tensor.wrap(ElementType.FP32.bytes(), ElementType.FP32, shape)
                        .elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return uploaded(values, shape);
    }

    private Tensor uploaded(float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        long pointer = device.allocate(bytes.capacity()).pointer(); // given back with the device
        device.copyToDevice(pointer, bytes, device.defaultStream());
        return Tensor.wrap(pointer, ElementType.FP32, shape);
    }

    private float[] downloaded(long pointer, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.nativeOrder());
        device.copyToHost(bytes, pointer, device.defaultStream());
        float[] values = new float[count];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private void store(long pointer, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(FloatBuffer.wrap(values));
        device.copyToDevice(pointer, bytes, device.defaultStream());
    }

    /** Column-major products. */
    private final class PlainCublas implements Cublas {
        @Override
        public void stream(long handle) {
            assertEquals(device.defaultStream().handle(), handle);
        }

        @Override
        public void gemm(
                boolean transposeA,
                boolean transposeB,
                int m,
                int n,
                int k,
                ElementType operands,
                long a,
                int lda,
                long b,
                int ldb,
                float beta,
                ElementType result,
                long c,
                int ldc) {
            calls++;
            float[] left = downloaded(a, lda * (transposeA ? m : k));
            float[] right = downloaded(b, ldb * (transposeB ? k : n));
            float[] out = downloaded(c, ldc * n);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = beta * out[j * ldc + i];
                    for (int l = 0; l < k; l++) {
                        sum += (double) left[transposeA ? i * lda + l : l * lda + i]
                                * right[transposeB ? l * ldb + j : j * ldb + l];
                    }
                    out[j * ldc + i] = (float) sum;
                }
            }
            store(c, out);
        }

        @Override
        public void close() {}
    }

    /** Convolutions of maps whose channels lie together. */
    private final class PlainCudnn implements Cudnn {
        @Override
        public void stream(long handle) {
            assertEquals(device.defaultStream().handle(), handle);
        }

        @Override
        public void convolution(ElementType type, Map out, Map in, long weight, int stride) {
            calls++;
            float[] from = downloaded(in.address(), (in.height() * in.width() - 1) * in.pitch() + in.channels());
            float[] taps = downloaded(weight, out.channels() * 9 * in.channels());
            float[] to = new float[out.height() * out.width() * out.pitch()];
            for (int y = 0; y < out.height(); y++) {
                for (int x = 0; x < out.width(); x++) {
                    for (int o = 0; o < out.channels(); o++) {
                        to[(y * out.width() + x) * out.pitch() + o] =
                                (float) position(in, from, taps, stride * y - 1, stride * x - 1, o);
                    }
                }
            }
            store(out.address(), to);
        }

        private static double position(Map in, float[] from, float[] taps, int top, int left, int o) {
            double sum = 0;
            for (int ky = 0; ky < 3; ky++) {
                for (int kx = 0; kx < 3; kx++) {
                    int y = top + ky;
                    int x = left + kx;
                    boolean inside = y >= 0 && y < in.height() && x >= 0 && x < in.width();
                    for (int c = 0; inside && c < in.channels(); c++) {
                        sum += (double) from[(y * in.width() + x) * in.pitch() + c]
                                * taps[((o * 3 + ky) * 3 + kx) * in.channels() + c];
                    }
                }
            }
            return sum;
        }

        @Override
        public void close() {}
    }
}
