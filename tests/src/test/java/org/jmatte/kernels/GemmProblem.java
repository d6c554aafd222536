package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** A matrix product with all that can come with it: operands, the call, and what must come out, in plain Java. */
final class GemmProblem {
    enum Residual {
        NONE,
        LAST,
        FIRST,
        IN_PLACE
    }

    /** What the flag holds before, and what overflow adds. */
    static final int OTHER_FLAG = 8;

    static final int OVERFLOW = 5;
    private static final int SPARE = 9; // rows that gather and scatter may leave out

    final int m;
    final int n;
    final int k;
    final ElementType type;
    final ElementType out;
    Activation activation = Activation.IDENTITY;
    float slope;
    boolean bias = true;
    boolean scale;
    Residual residual = Residual.NONE;
    int[] gather;
    int[] scatter;
    Integer count;
    /** Columns before and behind the slices of a, d and the residual. */
    int before;

    int behind;
    /** Multiplies all of a; products beyond the range of half types become infinite. */
    float magnitude = 1;

    private final Random random;
    float[] a;
    float[] w;
    float[] d;
    float[] biases;
    float[] scales;
    float[] residuals;
    /** After {@link #run}: the whole of d, and the flag. */
    float[] result;

    int flag;
    private final List<TestTensor> memory = new ArrayList<>();
    private double[] expected;
    private double[] tolerances;

    GemmProblem(int m, int n, int k, ElementType type, ElementType out) {
        this.m = m;
        this.n = n;
        this.k = k;
        this.type = type;
        this.out = out;
        random = new Random(m * 31L * 31 + n * 31L + k);
    }

    @Override
    public String toString() {
        return "[" + m + ", " + k + "] x [" + n + ", " + k + "]' " + type + " into " + out + ", " + activation
                + ", bias "
                + bias + ", scale " + scale + ", residual " + residual + ", gather " + (gather != null) + ", scatter "
                + (scatter != null) + ", count " + count + ", slices " + before + " + " + behind;
    }

    /** Indices into a's rows, with repetitions and one row of zeros. */
    GemmProblem gathered() {
        gather = IntStream.range(0, m).map(i -> random.nextInt(m + SPARE)).toArray();
        gather[m / 2] = -1;
        return this;
    }

    /** Indices into d's rows, each once, and one that drops a row. */
    GemmProblem scattered() {
        scatter = IntStream.range(0, m + SPARE).toArray();
        for (int i = scatter.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = scatter[i];
            scatter[i] = scatter[j];
            scatter[j] = swap;
        }
        scatter = Arrays.copyOf(scatter, m);
        scatter[m / 3] = -1;
        return this;
    }

    private int rowsOfA() {
        return gather == null ? m : m + SPARE;
    }

    private int rowsOfD() {
        return scatter == null ? m : m + SPARE;
    }

    private int pitch(int columns) {
        return before + columns + behind;
    }

    private float[] numbers(int count, float factor, ElementType stored) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (random.nextFloat() * 2 - 1) * factor;
        }
        return TestTensor.round(stored, values);
    }

    /** Draws the operands, unless there are some. */
    GemmProblem draw() {
        if (a == null) {
            a = numbers(rowsOfA() * pitch(k), magnitude, type);
            w = numbers(n * k, (float) Math.sqrt(3.0 / k), type);
            d = numbers(rowsOfD() * pitch(n), 1, out);
            biases = numbers(n, 1, FP32);
            scales = numbers(n, 1, FP32);
            residuals = residual == Residual.IN_PLACE ? d : numbers(rowsOfD() * pitch(n), 1, out);
        }
        return this;
    }

    // ---------------------------------------------------------------- the call

    /** Runs it with the strategy, or with the one that the wrapper takes; checks that nothing else was touched. */
    GemmProblem run(Device device, Gemm.Strategy strategy) {
        draw();
        try {
            runAndRead(device, strategy);
        } finally {
            memory.forEach(TestTensor::close);
            memory.clear();
        }
        return this;
    }

    private TestTensor upload(Device device, ElementType type, float[] values, long... shape) {
        TestTensor tensor = TestTensor.of(device, type, values, shape);
        memory.add(tensor);
        return tensor;
    }

    private void runAndRead(Device device, Gemm.Strategy strategy) {
        TestTensor aTensor = upload(device, type, a, a.length);
        TestTensor wTensor = upload(device, type, w, n, k);
        TestTensor dTensor = upload(device, out, d, d.length);
        TestTensor residualTensor =
                residual == Residual.IN_PLACE ? dTensor : upload(device, out, residuals, residuals.length);
        TestTensor flagTensor = upload(device, I32, new float[] {OTHER_FLAG}, 1);
        Tensor biasTensor = bias ? upload(device, FP32, biases, n).tensor() : null;
        Gemm.Call call = new Gemm.Call(
                slice(dTensor, rowsOfD(), n),
                slice(aTensor, rowsOfA(), k),
                wTensor.tensor(),
                biasTensor,
                options(device, slice(residualTensor, rowsOfD(), n), flagTensor.tensor()));
        if (strategy == null) {
            Gemm.run(device, call.d(), call.a(), call.w(), call.bias(), call.o(), device.defaultStream());
        } else {
            call.check(device);
            device.launch(call.launch(strategy), device.defaultStream());
        }
        result = dTensor.read();
        flag = (int) flagTensor.read()[0];
        for (TestTensor input : new TestTensor[] {aTensor, wTensor}) {
            input.read(); // checks the guards
        }
        if (residual != Residual.IN_PLACE) {
            assertArrayEquals(residuals, residualTensor.read(), "the residual is only read");
        }
    }

    /** The rows' columns that take part. */
    private Tensor slice(TestTensor all, int rows, int columns) {
        Tensor t = all.tensor();
        return Tensor.wrap(t.pointer() + (long) before * t.type().bytes(), t.type(), rows, pitch(columns));
    }

    private Gemm.Options options(Device device, Tensor residualTensor, Tensor flagTensor) {
        Gemm.Options options = Gemm.Options.NONE.overflow(flagTensor, OVERFLOW);
        if (activation == Activation.GELU) {
            options = options.gelu();
        } else if (activation == Activation.LEAKY_RELU) {
            options = slope == 0 ? options.relu() : options.leakyRelu(slope);
        }
        if (scale) {
            options = options.scale(upload(device, FP32, scales, n).tensor());
        }
        if (residual == Residual.LAST || residual == Residual.IN_PLACE) {
            options = options.add(residualTensor);
        } else if (residual == Residual.FIRST) {
            options = options.addFirst(residualTensor);
        }
        if (gather != null) {
            options = options.gather(integers(device, gather));
        }
        if (scatter != null) {
            options = options.scatter(integers(device, scatter));
        }
        if (count != null) {
            options = options.count(integers(device, count));
        }
        return before + behind > 0 ? options.slices() : options;
    }

    private Tensor integers(Device device, int... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return upload(device, I32, floats, values.length).tensor();
    }

    // ---------------------------------------------------------------- what must come out

    private int rows() {
        return count == null ? m : Math.max(0, Math.min(count, m));
    }

    /** Where d's element lies. */
    private int at(int row, int column) {
        return row * pitch(n) + before + column;
    }

    private double activate(double v) {
        return switch (activation) {
            case IDENTITY -> v;
            case GELU -> Reference.gelu(v);
            case LEAKY_RELU -> v < 0 ? v * slope : v;
        };
    }

    /** d, computed in double, and what each element may differ. */
    private void expect() {
        if (expected != null) {
            return;
        }
        expected = new double[d.length];
        tolerances = new double[d.length];
        for (int i = 0; i < d.length; i++) {
            expected[i] = d[i];
        }
        for (int i = 0; i < rows(); i++) {
            int from = gather == null ? i : gather[i];
            int to = scatter == null ? i : scatter[i];
            for (int column = 0; column < n && to >= 0; column++) {
                double sum = bias ? biases[column] : 0;
                double size = Math.abs(sum);
                for (int j = 0; j < k && from >= 0; j++) {
                    double product = (double) a[from * pitch(k) + before + j] * w[column * k + j];
                    sum += product;
                    size += Math.abs(product);
                }
                int at = at(to, column);
                sum += residual == Residual.FIRST ? residuals[at] : 0;
                sum = activate(sum) * (scale ? scales[column] : 1);
                sum += residual == Residual.LAST || residual == Residual.IN_PLACE ? residuals[at] : 0;
                expected[at] = sum;
                tolerances[at] = TestTensor.unit(out) * Math.abs(sum) + 2e-6 * (1 + size);
            }
        }
    }

    /** Compares the result with the expected one. */
    void verify(Tolerance tolerance) {
        expect();
        for (int i = 0; i < d.length; i++) {
            String where = "row " + i / pitch(n) + ", column " + (i % pitch(n) - before);
            if (tolerances[i] == 0) {
                assertEquals(expected[i], result[i], () -> this + ": " + where + " is not to be written");
            } else {
                tolerance.check(expected[i], result[i], tolerances[i], where + " of " + this);
            }
        }
        assertEquals(OTHER_FLAG, flag, "no overflow");
    }

    /** The largest error of the result, and of the obvious computation with the same storage: floats, added in order. */
    double[] errors() {
        expect();
        double[] errors = new double[2];
        for (int i = 0; i < m; i++) {
            for (int column = 0; column < n; column++) {
                float sum = bias ? biases[column] : 0;
                for (int j = 0; j < k; j++) {
                    sum += a[i * k + j] * w[column * k + j];
                }
                float v = (float) activate(sum) * (scale ? scales[column] : 1);
                v += residual == Residual.NONE ? 0 : residuals[at(i, column)];
                errors[0] = Math.max(errors[0], Math.abs(result[at(i, column)] - expected[at(i, column)]));
                errors[1] = Math.max(errors[1], Math.abs(TestTensor.round(out, v) - expected[at(i, column)]));
            }
        }
        return errors;
    }
}
