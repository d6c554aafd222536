package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.jmatte.Isa;
import org.jmatte.Machine;
import org.jmatte.cpu.Linear.Epilogue;
import org.jmatte.network.Architecture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** oneDNN's products against plain ones: it has returned wrong results on some processors. */
class LinearTest {
    private static final int[] ROWS = {1, 7, 16, 99, 128};
    /** Of sums in fp32; numbers are about 1. */
    private static final double TOLERANCE = 3e-5;
    /** Every so many outputs are checked of large products. */
    private static final int STEP = 61;

    @BeforeAll
    static void load() {
        NativeLibraries.load(Isa.AUTO);
    }

    static Stream<Arguments> typesAndEpilogues() {
        return Stream.of(ElementType.values()).filter(LinearTest::has).flatMap(operands -> Stream.of(
                        ElementType.values())
                .filter(LinearTest::has)
                .flatMap(destination ->
                        Stream.of(Epilogue.values()).map(epilogue -> Arguments.of(operands, destination, epilogue))));
    }

    private static boolean has(ElementType type) {
        return type == ElementType.FP32 || NativeLibraries.isa() != Isa.AVX2;
    }

    @ParameterizedTest
    @MethodSource("typesAndEpilogues")
    void everyEpilogueEqualsThePlainProduct(ElementType operands, ElementType destination, Epilogue epilogue) {
        int[][] sizes = {{128, 96}, {37, 61}, {288, 16}};
        for (int[] size : sizes) {
            for (boolean biased : new boolean[] {true, false}) {
                try (Case product = new Case(size[0], size[1], biased, operands)) {
                    for (int rows : ROWS) {
                        product.check(rows, destination, epilogue, 1);
                    }
                }
            }
        }
    }

    /** The shapes of all products of the networks that are released, a full chunk and a part of one. */
    @ParameterizedTest
    @EnumSource(ElementType.class)
    void everyShapeOfTheNetworksEqualsThePlainProduct(ElementType operands) {
        if (operands == ElementType.BF16) {
            Machine.assumeBf16();
        }
        for (String shape : shapes()) {
            String[] sizes = shape.split("x");
            try (Case product = new Case(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), true, operands)) {
                product.check(128, ElementType.FP32, Epilogue.NONE, STEP);
                product.check(50, operands, Epilogue.NONE, STEP);
            }
        }
    }

    private static Set<String> shapes() {
        Set<String> shapes = new TreeSet<>();
        for (String name : new String[] {"mematte_s", "mematte_b", "pam"}) {
            Architecture.named(name).parameterShapes().forEach((tensor, shape) -> {
                boolean matrix = shape.length == 2 || shape.length == 4;
                if (!matrix
                        || tensor.contains("rel_pos")
                        || tensor.contains("dwconv")
                        || tensor.contains("depthwise")) {
                    return;
                }
                long inputs = shape[1] * (shape.length == 4 ? shape[2] * shape[3] : 1);
                shapes.add(inputs + "x" + shape[0]);
                if (tensor.contains("fusion_blks")) {
                    // Run as two: detail and, tap by tap, the upsampled map.
                    long detail = tensor.contains(".3.") ? 4 : 192 >> Integer.parseInt(tensor.split("\\.")[2]);
                    shapes.add(9 * detail + "x" + shape[0]);
                    shapes.add(shape[1] - detail + "x" + 9 * shape[0]);
                }
            });
        }
        // PAM's, of input planes with two of zeros, and of two sources.
        shapes.addAll(Set.of("72x24", "432x32", "288x24", "64x288", "32x216"));
        return shapes;
    }

    @ParameterizedTest
    @EnumSource(ElementType.class)
    void anotherBiasMayBeGiven(ElementType operands) {
        if (operands == ElementType.BF16) {
            Machine.assumeBf16();
        }
        try (Case product = new Case(64, 48, true, operands);
                NativeBuffer other = NativeBuffer.of(product.bias = Numbers.random(48, 77))) {
            product.otherBias = other.address();
            product.check(16, ElementType.FP32, Epilogue.GELU, 1);
        }
    }

    /** Otherwise broken weights would lead to a wrong result instead of a failure. */
    @ParameterizedTest
    @MethodSource("typesAndEpilogues")
    void notANumberStaysSo(ElementType operands, ElementType destination, Epilogue epilogue) {
        try (Case product = new Case(48, 80, true, operands)) {
            for (int rows : ROWS) {
                product.brokenSource = rows * 48 / 2;
                product.check(rows, destination, epilogue, 1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ElementType.class)
    void sizesAreCounted(ElementType operands) {
        try (Linear linear = new Linear(64, 64, true, operands)) {
            assertEquals(2 * 10 * 64 * 64, linear.flops(10));
            assertEquals(64 * 64 * operands.bytes() + 64 * 4, linear.bytes());
        }
    }

    /** A layer with its operands, and what to expect of it. */
    private static final class Case implements AutoCloseable {
        private final int inputs;
        private final int outputs;
        private final ElementType operands;
        private final float[] weights;
        private final Linear linear;
        private float[] bias;
        private long otherBias;
        private int brokenSource = -1;

        Case(int inputs, int outputs, boolean biased, ElementType operands) {
            this.inputs = inputs;
            this.outputs = outputs;
            this.operands = operands;
            weights = Numbers.random(inputs * outputs, inputs);
            for (int i = 0; i < weights.length; i++) {
                weights[i] /= (float) Math.sqrt(inputs);
            }
            bias = biased ? Numbers.random(outputs, 3) : null;
            linear = new Linear(inputs, outputs, biased, operands);
            try (FloatPointer matrix = new FloatPointer(weights)) {
                linear.load(matrix, bias);
            }
        }

        void check(int rows, ElementType destination, Epilogue epilogue, int step) {
            float[] source = Numbers.random(rows * inputs, rows);
            if (brokenSource >= 0) {
                source[brokenSource] = Float.NaN;
            }
            float[] before = Numbers.random(rows * outputs, rows + 1);
            Product product = linear.product(rows, destination, epilogue);
            float[] result;
            try (NativeBuffer from = NativeBuffer.of(source, operands.code());
                    NativeBuffer to = NativeBuffer.of(before, destination.code());
                    NativeBuffer scratch = NativeBuffer.emptyBytes((int) product.scratchBytes() + 64)) {
                long aligned = (scratch.address() + 63) / 64 * 64;
                WorkerPool.SHARED.call(() -> {
                    if (otherBias != 0) {
                        product.run(from.address(), to.address(), aligned, otherBias);
                    } else {
                        product.run(from.address(), to.address(), aligned);
                    }
                    return null;
                });
                result = to.floats(destination.code());
            }
            float[] x = Numbers.stored(source, operands.code());
            float[] w = Numbers.stored(weights, operands.code());
            float[] old = Numbers.stored(before, destination.code());
            int count = (result.length + step - 1) / step;
            double[] expected = new double[count];
            float[] actual = new float[count];
            for (int i = 0; i < count; i++) {
                int at = i * step;
                expected[i] = value(at / outputs, at % outputs, x, w, old[at], epilogue);
                actual[i] = result[at];
            }
            Numbers.assertClose(expected, actual, TOLERANCE, destination.code());
        }

        private double value(int row, int output, float[] x, float[] w, float old, Epilogue epilogue) {
            double sum = bias == null ? 0 : bias[output];
            for (int i = 0; i < inputs; i++) {
                sum += (double) x[row * inputs + i] * w[output * inputs + i];
            }
            return switch (epilogue) {
                case NONE -> sum;
                case GELU -> Numbers.gelu(sum);
                case RELU -> Math.max(0, sum); // NaN of NaN
                case LEAKY -> Math.max(0.1f * sum, sum);
                case ADD -> sum + old;
            };
        }

        @Override
        public void close() {
            linear.close();
        }
    }
}
