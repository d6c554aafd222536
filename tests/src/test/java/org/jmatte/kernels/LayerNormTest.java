package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.ElementType.U8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LayerNormTest {
    private static final float EPS = 1e-5f;

    /** Types of x and out. */
    private record Types(ElementType x, ElementType out) {}

    private static List<Types> types(Device device) {
        List<Types> types = new ArrayList<>(
                List.of(new Types(FP32, FP32), new Types(FP16, FP16), new Types(FP32, FP16), new Types(FP16, FP32)));
        if (device.architecture() >= 80) {
            types.addAll(List.of(new Types(BF16, BF16), new Types(FP32, BF16), new Types(BF16, FP32)));
        }
        return types;
    }

    /** Rows to norm, as plain arrays; what is null is not there. */
    private static final class Rows {
        final int rows;
        final int channels;
        final Types types;
        final float[] x;
        final float[] weight;
        final float[] bias;
        float[] y;
        float[] residual;
        int[] index;
        boolean gelu;

        Rows(Types types, int rows, int channels, double mean, double size) {
            this.types = types;
            this.rows = rows;
            this.channels = channels;
            x = TestMap.uniform(FP32, rows * channels, 1, size);
            for (int i = 0; i < x.length; i++) {
                x[i] = TestTensor.round(types.x, (float) (x[i] + mean));
            }
            weight = TestMap.uniform(FP32, channels, 2, 2);
            bias = TestMap.uniform(FP32, channels, 3, 1);
        }

        Rows add() {
            y = TestMap.uniform(types.out, rows * channels, 4, 1);
            return this;
        }

        Rows residual() {
            residual = TestMap.uniform(types.out, rows * channels, 5, 1);
            return this;
        }

        /** Element c of row r before the norm, as it is stored. */
        float sum(int r, int c) {
            float v = x[(index == null ? r : index[r]) * channels + c];
            return y == null ? v : TestTensor.round(types.x, v + y[r * channels + c]);
        }

        /** Compares rows of results with the formula. */
        void check(float[] got, int count, double allowed) {
            Tolerance tolerance = new Tolerance("layer norm " + rows + " x " + channels + " " + types);
            for (int r = 0; r < count; r++) {
                double mean = 0;
                for (int c = 0; c < channels; c++) {
                    mean += sum(r, c);
                }
                mean /= channels;
                double variance = 0;
                for (int c = 0; c < channels; c++) {
                    variance += (sum(r, c) - mean) * (sum(r, c) - mean);
                }
                variance /= channels;
                for (int c = 0; c < channels; c++) {
                    double v = (sum(r, c) - mean) / Math.sqrt(variance + EPS) * weight[c] + bias[c];
                    if (gelu) {
                        v = Reference.gelu(v);
                    }
                    if (residual != null) {
                        v += residual[r * channels + c];
                    }
                    double size = 1 + Math.abs(v);
                    tolerance.check(
                            v,
                            got[r * channels + c],
                            2 * TestTensor.unit(types.out) * Math.abs(v) + allowed * size,
                            r + ", " + c);
                }
            }
            tolerance.report();
        }
    }

    /** The tensors of rows on a device. */
    private static final class OnDevice implements AutoCloseable {
        final TestTensor x;
        final TestTensor out;
        final TestTensor weight;
        final TestTensor bias;

        OnDevice(Device device, Rows rows) {
            x = TestTensor.of(device, rows.types.x, rows.x, rows.rows, rows.channels);
            out = TestTensor.filled(device, rows.types.out, Float.NaN, rows.rows, rows.channels);
            weight = TestTensor.of(device, FP32, rows.weight, rows.channels);
            bias = TestTensor.of(device, FP32, rows.bias, rows.channels);
        }

        @Override
        public void close() {
            x.close();
            out.close();
            weight.close();
            bias.close();
        }
    }

    private static void norm(Device device, Types types, int rows, int channels, double mean, double allowed) {
        Rows plain = new Rows(types, rows, channels, mean, 1);
        try (OnDevice on = new OnDevice(device, plain)) {
            LayerNorm.run(
                    device,
                    on.out.tensor(),
                    on.x.tensor(),
                    on.weight.tensor(),
                    on.bias.tensor(),
                    EPS,
                    device.defaultStream());
            plain.check(on.out.read(), rows, allowed);
        }
    }

    @DeviceTest
    void anySize(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {1, 7, 16, 19, 64, 99, 111, 192, 384, 500, 768, 776, 989, 1536}) {
                norm(device, types, channels < 64 ? 19 : 9, channels, 0.3, 1e-5);
            }
            norm(device, types, 1, 384, 0, 1e-5);
            norm(device, types, 0, 384, 0, 1e-5);
            norm(device, types, 111, 128, 0, 1e-5);
        }
    }

    /** E[x^2] - mean^2 would be off by far more than 1 here. */
    @DeviceTest
    void farFromZero(Device device) {
        norm(device, new Types(FP32, FP32), 9, 384, 5000, 1e-3);
        norm(device, new Types(FP32, FP32), 9, 99, 5000, 1e-3);
    }

    @DeviceTest
    void gelu(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {99, 192}) {
                Rows rows = new Rows(types, 19, channels, 0, 1);
                rows.gelu = true;
                try (OnDevice on = new OnDevice(device, rows)) {
                    LayerNorm.gelu(
                            device,
                            on.out.tensor(),
                            on.x.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            EPS,
                            device.defaultStream());
                    rows.check(on.out.read(), rows.rows, 1e-5);
                }
            }
        }
    }

    @DeviceTest
    void gatherKeepsToTheCount(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {19, 128}) {
                Rows rows = new Rows(types, 37, channels, 0, 1);
                int picked = 21;
                int count = 13;
                rows.index = new int[picked];
                float[] indices = new float[picked];
                for (int r = 0; r < picked; r++) {
                    rows.index[r] = r * 7 % rows.rows;
                    indices[r] = rows.index[r];
                }
                try (OnDevice on = new OnDevice(device, rows);
                        TestTensor out = TestTensor.filled(device, types.out, -7, picked, channels);
                        TestTensor index = TestTensor.of(device, I32, indices, picked);
                        TestTensor number = TestTensor.filled(device, I32, count, 1)) {
                    LayerNorm.gather(
                            device,
                            out.tensor(),
                            on.x.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            index.tensor(),
                            number.tensor(),
                            EPS,
                            device.defaultStream());
                    float[] got = out.read();
                    rows.check(got, count, 1e-5);
                    for (int i = count * channels; i < got.length; i++) {
                        assertEquals(-7, got[i]);
                    }
                    LayerNorm.gather(
                            device,
                            out.tensor(),
                            on.x.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            index.tensor(),
                            null,
                            EPS,
                            device.defaultStream());
                    rows.check(out.read(), picked, 1e-5);
                }
            }
        }
    }

    /** In place, and the same bits as the norm of the stored sum. */
    @DeviceTest
    void addUpdatesTheStream(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {19, 384}) {
                Rows rows = new Rows(types, 11, channels, 0.5, 1).add();
                try (OnDevice on = new OnDevice(device, rows);
                        TestTensor y = TestTensor.of(device, types.out, rows.y, rows.rows, channels);
                        TestTensor apart = TestTensor.filled(device, types.out, Float.NaN, rows.rows, channels)) {
                    LayerNorm.add(
                            device,
                            on.out.tensor(),
                            on.x.tensor(),
                            on.x.tensor(),
                            y.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            EPS,
                            device.defaultStream());
                    float[] sum = on.x.read();
                    for (int i = 0; i < sum.length; i++) {
                        assertEquals(rows.sum(i / channels, i % channels), sum[i]);
                    }
                    rows.check(on.out.read(), rows.rows, 1e-5);
                    LayerNorm.run(
                            device,
                            apart.tensor(),
                            on.x.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            EPS,
                            device.defaultStream());
                    assertArrayEquals(apart.read(), on.out.read());
                }
            }
        }
    }

    @DeviceTest
    void residualInPlace(Device device) {
        for (Types types : types(device)) {
            for (int channels : new int[] {19, 384}) {
                Rows rows = new Rows(types, 11, channels, 0, 1).residual();
                try (OnDevice on = new OnDevice(device, rows)) {
                    on.out.write(rows.residual);
                    LayerNorm.residual(
                            device,
                            on.out.tensor(),
                            on.x.tensor(),
                            on.out.tensor(),
                            on.weight.tensor(),
                            on.bias.tensor(),
                            EPS,
                            device.defaultStream());
                    rows.check(on.out.read(), rows.rows, 1e-5);
                }
            }
        }
    }

    @DeviceTest
    void notANumberStaysInItsRow(Device device) {
        Rows rows = new Rows(new Types(FP32, FP32), 9, 128, 0, 1);
        rows.x[3 * 128 + 5] = Float.NaN;
        rows.x[5 * 128 + 127] = Float.POSITIVE_INFINITY;
        try (OnDevice on = new OnDevice(device, rows)) {
            LayerNorm.run(
                    device,
                    on.out.tensor(),
                    on.x.tensor(),
                    on.weight.tensor(),
                    on.bias.tensor(),
                    EPS,
                    device.defaultStream());
            float[] got = on.out.read();
            for (int r = 0; r < 9; r++) {
                for (float v : Arrays.copyOfRange(got, r * 128, r * 128 + 128)) {
                    assertEquals(r == 3 || r == 5, Float.isNaN(v), "row " + r);
                }
            }
        }
    }

    @Test
    void noRaces() {
        TestDevices.inCheckedSchedules(device -> {
            for (Types types : types(device)) {
                norm(device, types, 9, 40, 0, 1e-5);
                norm(device, types, 3, 19, 0, 1e-5);
            }
            addUpdatesTheStream(device);
        });
    }

    // ---------------------------------------------------------------- the launch, refusals

    private static Tensor tensor(ElementType type, long... shape) {
        return Tensor.wrap(1 << 20, type, shape);
    }

    @Test
    void countsWhatItMoves() {
        Tensor x = tensor(FP32, 99, 384);
        Tensor out = Tensor.wrap(1 << 30, FP16, 99, 384);
        Tensor channels = tensor(FP32, 384);
        Launch launch =
                new LayerNorm.Call(out, null, x, null, null, channels, channels, null, null, EPS, false).launch();
        assertEquals("layer_norm_fp32_fp16", launch.kernel());
        assertEquals(13, launch.gridX());
        assertEquals(99 * 384 * 6 + 2 * 384 * 4, launch.bytes());
        assertEquals(99 * 384 * 7, launch.flops());
    }

    private static void refuses(String message, Consumer<Device> call) {
        try (Device device = TestDevices.emulated(75, false)) {
            assertEquals(
                    message,
                    assertThrows(InvalidArgumentException.class, () -> call.accept(device))
                            .getMessage());
        }
    }

    @Test
    void refusals() {
        Tensor x = tensor(FP16, 9, 64);
        Tensor out = Tensor.wrap(1 << 30, FP16, 9, 64);
        Tensor w = tensor(FP32, 64);
        refuses("layer_norm: x: expected fp32 or fp16 or bf16, got [9, 64] u8", run(out, tensor(U8, 9, 64), w, w));
        refuses("layer_norm: x: expected [N, C], got [9] fp16", run(out, tensor(FP16, 9), w, w));
        refuses("layer_norm: C: expected 1 to 2147483647, got 0", run(out, tensor(FP16, 9, 0), w, w));
        refuses("layer_norm: out: expected [N, C] = [9, 64], got [8, 64] fp16", run(tensor(FP16, 8, 64), x, w, w));
        refuses("layer_norm: out: expected fp16 or fp32, got [9, 64] u8", run(tensor(U8, 9, 64), x, w, w));
        refuses("layer_norm: weight: expected [C] = [64] fp32, got [63] fp32", run(out, x, tensor(FP32, 63), w));
        refuses("layer_norm: bias: expected [C] = [64] fp32, got [64] fp16", run(out, x, w, tensor(FP16, 64)));
        refuses("layer_norm: bias: expected a value, got null", run(out, x, w, null));
        refuses(
                "layer_norm: x: expected an address that is a multiple of 16, got 0x100002",
                run(out, Tensor.wrap(0x100002, FP16, 9, 64), w, w));
        refuses(
                "layer_norm: out: expected memory apart from x's, got memory that overlaps it",
                run(Tensor.wrap((1 << 20) + 128, FP16, 9, 64), x, w, w));
        refuses(
                "layer_norm: x: expected fp16 or fp32 on a card before sm_80 (emulated sm_75 is sm_75), got [9, 64] bf16",
                run(out, tensor(BF16, 9, 64), w, w));
        refuses("layer_norm: index: expected a value, got null", gather(out, x, w, null, null));
        refuses("layer_norm: index: expected [R] = [9] i32, got [8] i32", gather(out, x, w, tensor(I32, 8), null));
        refuses("layer_norm: count: expected [1] i32, got [2] i32", gather(out, x, w, tensor(I32, 9), tensor(I32, 2)));
        refuses(
                "layer_norm: sum: expected [N, C] = [9, 64] fp16, got [9, 64] fp32",
                device -> LayerNorm.add(device, out, tensor(FP32, 9, 64), x, x, w, w, EPS, device.defaultStream()));
        refuses(
                "layer_norm: y: expected a value, got null",
                device -> LayerNorm.add(device, out, x, x, null, w, w, EPS, device.defaultStream()));
        refuses(
                "layer_norm: residual: expected [N, C] = [9, 64] fp16, got [9, 63] fp16",
                device -> LayerNorm.residual(device, out, x, tensor(FP16, 9, 63), w, w, EPS, device.defaultStream()));
    }

    private static Consumer<Device> run(Tensor out, Tensor x, Tensor weight, Tensor bias) {
        return device -> LayerNorm.run(device, out, x, weight, bias, EPS, device.defaultStream());
    }

    private static Consumer<Device> gather(Tensor out, Tensor x, Tensor w, Tensor index, Tensor count) {
        return device -> LayerNorm.gather(device, out, x, w, w, index, count, EPS, device.defaultStream());
    }
}
