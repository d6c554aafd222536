package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jmatte.kernels.GemmProblem.Residual;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GemmTest {
    private static final Tolerance INTO_FP32 = new Tolerance("gemm into fp32");
    private static final Tolerance INTO_HALF = new Tolerance("gemm into fp16, bf16");

    private static void verify(GemmProblem problem) {
        problem.verify(problem.out == FP32 ? INTO_FP32 : INTO_HALF);
    }

    @AfterAll
    static void report() {
        INTO_FP32.report();
        INTO_HALF.report();
    }

    /** Types of operands and of D that a device has. */
    private static List<ElementType[]> types(Device device) {
        List<ElementType[]> types =
                new ArrayList<>(List.of(new ElementType[][] {{FP32, FP32}, {FP16, FP16}, {FP16, FP32}}));
        if (device.architecture() >= 80) {
            types.add(new ElementType[] {BF16, BF16});
            types.add(new ElementType[] {BF16, FP32});
        }
        return types;
    }

    /** The kernels that can run a product. */
    private static List<Gemm.Strategy> strategies(GemmProblem problem) {
        if (problem.type == FP32) {
            return List.of(Gemm.Strategy.PLAIN);
        }
        boolean aligned = (problem.k | problem.before | problem.behind) % 8 == 0;
        return aligned
                ? List.of(Gemm.Strategy.WIDE, Gemm.Strategy.NARROW, Gemm.Strategy.UNALIGNED)
                : List.of(Gemm.Strategy.UNALIGNED);
    }

    // ---------------------------------------------------------------- sizes

    private static final int[][] ODD_SIZES = {
        {1, 1, 1},
        {1, 7, 8},
        {7, 19, 1},
        {19, 1, 99},
        {99, 111, 7},
        {111, 99, 104},
        {500, 7, 19},
        {7, 500, 989},
        {129, 65, 40},
        {128, 128, 32},
        {127, 136, 33},
        {989, 19, 24}
    };

    @DeviceTest
    void oddSizes(Device device) {
        for (ElementType[] type : types(device)) {
            for (int[] size : ODD_SIZES) {
                GemmProblem problem = new GemmProblem(size[0], size[1], size[2], type[0], type[1]);
                for (Gemm.Strategy strategy : strategies(problem)) {
                    verify(problem.run(device, strategy));
                }
            }
        }
    }

    @DeviceTest
    void layersOfTheNetworks(Device device) {
        for (ElementType[] type : types(device)) {
            verify(new GemmProblem(40, 1152, 384, type[0], type[1]).run(device, null)); // QKV
            GemmProblem expand = new GemmProblem(40, 1536, 384, type[0], type[0]);
            expand.activation = Activation.GELU;
            verify(expand.run(device, null));
            GemmProblem contract = new GemmProblem(40, 384, 1536, type[0], type[1]);
            contract.residual = Residual.IN_PLACE;
            verify(contract.run(device, null));
            GemmProblem projection = new GemmProblem(150, 384, 384, type[0], type[1]).scattered();
            verify(projection.run(device, null));
            verify(new GemmProblem(35, 384, 1024, type[0], type[1]).run(device, null)); // patch embedding
            verify(new GemmProblem(260, 96, 192, type[0], type[1]).run(device, null)); // router
            GemmProblem pointwise = new GemmProblem(150, 64, 128, type[0], type[0]);
            pointwise.activation = Activation.LEAKY_RELU;
            pointwise.slope = 0.1f;
            verify(pointwise.run(device, null));
            verify(new GemmProblem(40, 320, 640, type[0], type[0]).run(device, null));
        }
    }

    @DeviceTest
    void withoutRows(Device device) {
        for (ElementType[] type : types(device)) {
            GemmProblem problem = new GemmProblem(0, 24, 16, type[0], type[1]);
            verify(problem.run(device, null));
            problem = new GemmProblem(24, 0, 16, type[0], type[1]);
            verify(problem.run(device, null));
        }
    }

    // ---------------------------------------------------------------- epilogues

    @DeviceTest
    void epilogues(Device device) {
        for (ElementType[] type : types(device)) {
            for (Activation activation : Activation.values()) {
                for (Residual residual : Residual.values()) {
                    for (int options = 0; options < 8; options++) {
                        boolean odd = options % 2 == 1;
                        GemmProblem problem = new GemmProblem(37, odd ? 29 : 48, 16, type[0], type[1]);
                        problem.activation = activation;
                        problem.slope = odd ? 0.1f : 0;
                        problem.residual = residual;
                        problem.bias = options / 2 % 2 == 0;
                        problem.scale = options / 4 == 1;
                        verify(problem.run(device, strategies(problem).get(0)));
                    }
                }
            }
        }
    }

    @DeviceTest
    void geluOverItsWholeRange(Device device) {
        for (ElementType[] type : types(device)) {
            GemmProblem problem = new GemmProblem(200, 64, 8, type[0], type[1]);
            problem.activation = Activation.GELU;
            problem.magnitude = 9;
            verify(problem.run(device, null));
        }
    }

    @DeviceTest
    void halfTypesErrAtMostTwiceAsMuchAsAPlainComputation(Device device) {
        for (ElementType[] type : types(device)) {
            for (int k : new int[] {64, 384, 1536}) {
                GemmProblem problem = new GemmProblem(64, 48, k, type[0], type[1]);
                problem.activation = Activation.GELU;
                problem.residual = Residual.LAST;
                double[] errors = problem.run(device, null).errors();
                double floor = 1e-6; // the GELU's own, for results in fp32
                assertTrue(errors[0] <= 2 * errors[1] + floor, problem + ": errors " + Arrays.toString(errors));
            }
        }
    }

    // ---------------------------------------------------------------- rows

    @DeviceTest
    void gathersAndScatters(Device device) {
        for (ElementType[] type : types(device)) {
            for (Residual residual : Residual.values()) {
                GemmProblem problem = new GemmProblem(150, 72, 24, type[0], type[1]).gathered();
                problem.residual = residual;
                GemmProblem other = new GemmProblem(139, 51, 24, type[0], type[1]).scattered();
                other.residual = residual;
                GemmProblem both = new GemmProblem(133, 64, 24, type[0], type[1])
                        .gathered()
                        .scattered();
                both.residual = residual;
                for (Gemm.Strategy strategy : strategies(problem)) {
                    verify(problem.run(device, strategy));
                    verify(other.run(device, strategy));
                    verify(both.run(device, strategy));
                }
            }
        }
    }

    @DeviceTest
    void rowsThatOnlyTheDeviceCounts(Device device) {
        for (ElementType[] type : types(device)) {
            for (int count : new int[] {-1, 0, 1, 128, 129, 299, 300, 301}) {
                GemmProblem problem = new GemmProblem(300, 40, 16, type[0], type[1])
                        .gathered()
                        .scattered();
                problem.count = count;
                for (Gemm.Strategy strategy : strategies(problem)) {
                    verify(problem.run(device, strategy));
                }
            }
        }
    }

    @DeviceTest
    void slicesOfWiderRows(Device device) {
        for (ElementType[] type : types(device)) {
            for (int[] columns : new int[][] {{0, 8}, {16, 8}, {3, 0}, {1, 4}}) {
                GemmProblem problem = new GemmProblem(130, 70, 40, type[0], type[1]);
                problem.before = columns[0];
                problem.behind = columns[1];
                problem.residual = Residual.LAST;
                for (Gemm.Strategy strategy : strategies(problem)) {
                    verify(problem.run(device, strategy));
                }
                verify(problem.run(device, null));
            }
        }
    }

    // ---------------------------------------------------------------- exact and extreme values

    /** Every element of A in every place of an mma, a chunk and a tile. */
    @DeviceTest
    void productsWithTheUnitMatrixAreExact(Device device) {
        for (ElementType[] type : types(device)) {
            for (int shift : new int[] {0, 1, 37}) {
                GemmProblem problem = new GemmProblem(140, 136, 136, type[0], type[1]);
                problem.bias = false;
                problem.draw();
                Arrays.fill(problem.w, 0);
                for (int i = 0; i < problem.n; i++) {
                    problem.w[i * problem.k + (i + shift) % problem.k] = 1;
                }
                for (Gemm.Strategy strategy : strategies(problem)) {
                    problem.run(device, strategy);
                    for (int i = 0; i < problem.m; i++) {
                        for (int j = 0; j < problem.n; j++) {
                            assertEquals(
                                    problem.a[i * problem.k + (j + shift) % problem.k],
                                    problem.result[i * problem.n + j]);
                        }
                    }
                }
            }
        }
    }

    @DeviceTest
    void strategiesAgreeToTheLastBit(Device device) {
        for (ElementType[] type : types(device)) {
            GemmProblem problem = new GemmProblem(150, 140, 200, type[0], type[1]);
            float[] first = null;
            for (Gemm.Strategy strategy : strategies(problem)) {
                float[] result = problem.run(device, strategy).result;
                first = first == null ? result : first;
                assertArrayEquals(first, result);
            }
        }
    }

    @DeviceTest
    void notANumberStaysInItsRow(Device device) {
        for (ElementType[] type : types(device)) {
            for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                GemmProblem problem = new GemmProblem(40, 30, 48, type[0], type[1]).draw();
                Arrays.fill(problem.w, 1);
                problem.a[13 * 48 + 47] = value;
                for (Gemm.Strategy strategy : strategies(problem)) {
                    problem.run(device, strategy);
                    for (int i = 0; i < problem.result.length; i++) {
                        if (i / 30 == 13) {
                            assertEquals(value, problem.result[i]);
                        } else {
                            assertTrue(Float.isFinite(problem.result[i]));
                        }
                    }
                    assertEquals(GemmProblem.OTHER_FLAG | GemmProblem.OVERFLOW, problem.flag);
                }
            }
        }
    }

    @DeviceTest
    void overflowIsFlagged(Device device) {
        for (ElementType[] type : types(device)) {
            // Rounds to infinity, as nothing below does.
            float over = type[1] == FP16 ? 65520 : type[1] == BF16 ? 0x1.ffp127f : Float.POSITIVE_INFINITY;
            for (float value : new float[] {Math.nextDown(over), over, -over}) {
                for (int column : new int[] {0, 7, 20}) {
                    GemmProblem problem = new GemmProblem(9, 21, 8, type[0], type[1]).draw();
                    Arrays.fill(problem.a, 0);
                    problem.biases[column] = value;
                    for (Gemm.Strategy strategy : strategies(problem)) {
                        problem.run(device, strategy);
                        int flag = Math.abs(value) < over ? 0 : GemmProblem.OVERFLOW;
                        assertEquals(GemmProblem.OTHER_FLAG | flag, problem.flag, problem::toString);
                        assertEquals(TestTensor.round(type[1], value), problem.result[column]);
                        assertEquals(Math.abs(value) < over, Float.isFinite(problem.result[column]));
                    }
                }
            }
        }
    }

    // ---------------------------------------------------------------- races and stray accesses

    @ParameterizedTest
    @ValueSource(ints = {75, 80})
    void theCheckerFindsNothing(int architecture) {
        for (long seed = 0; seed < 3; seed++) {
            EmulatorOptions options = EmulatorOptions.sm(architecture).withChecking(true);
            try (Device device = Devices.emulated(options.withScheduleSeed(seed))) {
                for (ElementType[] type : types(device)) {
                    for (int[] size : new int[][] {{1, 1, 1}, {19, 7, 99}, {130, 70, 200}, {99, 136, 48}}) {
                        GemmProblem problem = new GemmProblem(size[0], size[1], size[2], type[0], type[1]);
                        problem.residual = Residual.values()[size[0] % 4];
                        problem.activation = Activation.values()[size[1] % 3];
                        problem.scale = size[2] == 99;
                        GemmProblem mapped = new GemmProblem(size[0], size[1], size[2], type[0], type[1])
                                .gathered()
                                .scattered();
                        mapped.residual = Residual.IN_PLACE;
                        mapped.count = size[0] - 1;
                        for (Gemm.Strategy strategy : strategies(problem)) {
                            verify(problem.run(device, strategy));
                            verify(mapped.run(device, strategy));
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {75, 80})
    void theScheduleMakesNoDifference(int architecture) {
        float[] first = null;
        for (long seed = 0; seed < 4; seed++) {
            try (Device device =
                    Devices.emulated(EmulatorOptions.sm(architecture).withScheduleSeed(seed))) {
                GemmProblem problem = new GemmProblem(300, 200, 384, FP16, FP16);
                problem.residual = Residual.IN_PLACE;
                float[] result = problem.run(device, Gemm.Strategy.WIDE).result;
                first = first == null ? result : first;
                assertArrayEquals(first, result);
            }
        }
    }

    // ---------------------------------------------------------------- geometry

    private static final long FAR = 1L << 40;

    private static Tensor tensor(int number, ElementType type, long... shape) {
        return Tensor.wrap(FAR * number, type, shape);
    }

    private static Gemm.Call call(long m, long n, long k, ElementType type, ElementType out) {
        return new Gemm.Call(
                tensor(1, out, m, n), tensor(2, type, m, k), tensor(3, type, n, k), null, Gemm.Options.NONE);
    }

    @Test
    void strategyFollowsAlignmentAndTheNumberOfBlocks() {
        assertSame(Gemm.Strategy.PLAIN, call(989, 384, 384, FP32, FP32).strategy(68));
        assertSame(Gemm.Strategy.WIDE, call(13164, 1152, 384, FP16, FP16).strategy(68));
        assertSame(Gemm.Strategy.WIDE, call(32912, 384, 1536, FP16, FP32).strategy(68));
        assertSame(Gemm.Strategy.NARROW, call(1024, 384, 384, FP16, FP16).strategy(68));
        assertSame(Gemm.Strategy.NARROW, call(32912, 192, 384, FP16, FP16).strategy(68));
        assertSame(Gemm.Strategy.NARROW, call(1000000, 64, 128, BF16, BF16).strategy(108));
        assertSame(Gemm.Strategy.UNALIGNED, call(989, 384, 99, FP16, FP16).strategy(68));
        Tensor shifted = Tensor.wrap(FAR + 2, FP16, 989, 384);
        Tensor w = tensor(2, FP16, 384, 384);
        Tensor d = tensor(3, FP16, 989, 384);
        assertSame(Gemm.Strategy.UNALIGNED, new Gemm.Call(d, shifted, w, null, Gemm.Options.NONE).strategy(68));
        assertSame(
                Gemm.Strategy.UNALIGNED,
                new Gemm.Call(d, tensor(1, FP16, 989, 388), w, null, Gemm.Options.NONE.slices()).strategy(68));
    }

    @Test
    void launchesAreCounted() {
        Launch launch = call(989, 384, 1536, FP16, FP32).launch(Gemm.Strategy.WIDE);
        assertEquals("gemm", launch.operator());
        assertEquals("gemm_128x128_fp16_fp32", launch.kernel());
        assertEquals(8 * 3, launch.gridX());
        assertEquals(2L * 989 * 384 * 1536, launch.flops());
        assertEquals(989L * 1536 * 2 + 384 * 1536 * 2 + 989 * 384 * 4, launch.bytes());
        assertEquals(
                "gemm_unaligned_bf16",
                call(5, 5, 5, BF16, BF16).launch(Gemm.Strategy.UNALIGNED).kernel());
        assertEquals(
                "gemm_fp32",
                call(5, 5, 5, FP32, FP32).launch(Gemm.Strategy.PLAIN).kernel());

        Gemm.Options options = Gemm.Options.NONE
                .add(tensor(4, FP16, 100, 64))
                .gather(tensor(5, I32, 80))
                .scatter(tensor(6, I32, 80))
                .count(tensor(7, I32, 1))
                .scale(tensor(8, FP32, 64));
        Gemm.Call call = new Gemm.Call(
                tensor(1, FP16, 100, 64),
                tensor(2, FP16, 200, 32),
                tensor(3, FP16, 64, 32),
                tensor(9, FP32, 64),
                options);
        launch = call.launch(Gemm.Strategy.NARROW);
        assertEquals(1, launch.gridX());
        assertEquals(2L * 80 * 64 * 32, launch.flops());
        assertEquals(80 * 32 * 2 + 64 * 32 * 2 + 2 * 80 * 64 * 2 + 2 * 80 * 4 + 4 + 2 * 64 * 4, launch.bytes());
        assertTrue(call(0, 64, 32, FP16, FP16).launch(Gemm.Strategy.WIDE).isEmpty());
    }

    // ---------------------------------------------------------------- refused arguments

    private static void refused(
            String message, Device device, Tensor d, Tensor a, Tensor w, Tensor bias, Gemm.Options options) {
        assertEquals(
                message,
                assertThrows(
                                InvalidArgumentException.class,
                                () -> Gemm.run(device, d, a, w, bias, options, device.defaultStream()))
                        .getMessage());
    }

    @DeviceTest
    void wrongArgumentsAreNamed(Device device) {
        Tensor d = tensor(1, FP16, 30, 20);
        Tensor a = tensor(2, FP16, 30, 16);
        Tensor w = tensor(3, FP16, 20, 16);
        Tensor bias = tensor(4, FP32, 20);
        Gemm.Options none = Gemm.Options.NONE;
        refused("gemm: options: expected a value, got null", device, d, a, w, bias, null);
        refused("gemm: d: expected a value, got null", device, null, a, w, bias, none);
        refused("gemm: a: expected a value, got null", device, d, null, w, bias, none);
        refused("gemm: w: expected a value, got null", device, d, a, null, bias, none);
        refused(
                "gemm: a: expected fp32 or fp16 or bf16, got [30, 16] i32",
                device,
                d,
                tensor(2, I32, 30, 16),
                w,
                bias,
                none);
        refused(
                "gemm: a: expected [M, K] = [*, 16], got [30, 17] fp16",
                device,
                d,
                tensor(2, FP16, 30, 17),
                w,
                bias,
                none);
        refused(
                "gemm: a: expected [M, K] = [*, 16], got [30, 15] fp16",
                device,
                d,
                tensor(2, FP16, 30, 15),
                w,
                bias,
                none.slices());
        refused("gemm: w: expected [N, K] fp16, got [20, 16] fp32", device, d, a, tensor(3, FP32, 20, 16), bias, none);
        refused(
                "gemm: K: expected 1 to 2147483391, got 0",
                device,
                d,
                tensor(2, FP16, 30, 0),
                tensor(3, FP16, 20, 0),
                bias,
                none);
        refused("gemm: d: expected fp16 or fp32, got [30, 20] bf16", device, tensor(1, BF16, 30, 20), a, w, bias, none);
        refused(
                "gemm: d: expected [M, N] = [30, 20], got [31, 20] fp16",
                device,
                tensor(1, FP16, 31, 20),
                a,
                w,
                bias,
                none);
        refused("gemm: bias: expected [N] = [20] fp32, got [20] fp16", device, d, a, w, tensor(4, FP16, 20), none);
        refused(
                "gemm: scale: expected [N] = [20] fp32, got [21] fp32",
                device,
                d,
                a,
                w,
                bias,
                none.scale(tensor(5, FP32, 21)));
        refused(
                "gemm: residual: expected fp16, got [30, 20] fp32",
                device,
                d,
                a,
                w,
                bias,
                none.add(tensor(5, FP32, 30, 20)));
        refused(
                "gemm: residual: expected [M, N] = [30, 20], got [29, 20] fp16",
                device,
                d,
                a,
                w,
                bias,
                none.addFirst(tensor(5, FP16, 29, 20)));
        refused(
                "gemm: gather: expected [M] i32, got [30] fp32",
                device,
                d,
                a,
                w,
                bias,
                none.gather(tensor(5, FP32, 30)));
        refused(
                "gemm: scatter: expected [M] = [30] i32, got [29] i32",
                device,
                d,
                a,
                w,
                bias,
                none.scatter(tensor(5, I32, 29)));
        refused("gemm: count: expected [1] i32, got [2] i32", device, d, a, w, bias, none.count(tensor(5, I32, 2)));
        refused(
                "gemm: overflow: expected [1] i32, got [1] fp32",
                device,
                d,
                a,
                w,
                bias,
                none.overflow(tensor(5, FP32, 1), 1));
        refused(
                "gemm: d: expected memory apart from a's, got memory that overlaps it",
                device,
                Tensor.wrap(2 * FAR + 16, FP16, 30, 20),
                a,
                w,
                bias,
                none);
        refused(
                "gemm: d: expected memory apart from w's, got memory that overlaps it",
                device,
                Tensor.wrap(3 * FAR + 16, FP16, 30, 20),
                a,
                w,
                bias,
                none);
        refused(
                "gemm: residual: expected memory apart from d's, got memory that overlaps it",
                device,
                d,
                a,
                w,
                bias,
                none.add(Tensor.wrap(FAR + 2, FP16, 30, 20)));
        refused(
                "gemm: blocks of 128x64: expected 0 to 2147483647, got 274877906944",
                device,
                Tensor.wrap(1L << 60, FP16, 1L << 30, 1L << 21),
                tensor(1, FP16, 1L << 30, 1),
                tensor(5, FP16, 1L << 21, 1),
                null,
                none);
        if (device.architecture() < 80) {
            refused(
                    "gemm: a: expected fp16 or fp32 on a card before sm_80 (" + device.name()
                            + " is sm_75), got [30, 16] bf16",
                    device,
                    tensor(1, BF16, 30, 20),
                    tensor(2, BF16, 30, 16),
                    tensor(3, BF16, 20, 16),
                    bias,
                    none);
        }
    }
}
