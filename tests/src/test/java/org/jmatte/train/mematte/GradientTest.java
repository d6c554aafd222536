package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.train.data.GeneratedSamples;
import org.jmatte.train.data.Sample;
import org.jmatte.train.torch.Batch;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The gradient of the whole loss against central differences in float64, along random directions of a tensor. Differences
 * cannot see through hard decisions; they are taken of the surrogate that the straight-through estimate stands for: p moves
 * from the hard decision as the soft one does.
 */
class GradientTest {
    private static final int SIDE = 64;
    private static final int IMAGES = 2;
    private static final long NOISE = 11;
    private static final double STEP = 1e-6;
    private static final double PRECISION = 1e-5; // relative

    private static List<Sample> samples;
    private static Tensor target; // the teacher's features
    private static MeMatte student;
    private static Surrogate surrogate;

    /** p = hard decision at the start + soft decision - soft decision at the start, with the noise of a seed. */
    private static final class Surrogate implements Policy {
        private final SplittableRandom random = new SplittableRandom(NOISE);
        private final Map<Integer, float[]> noise = new HashMap<>();
        private final Map<Integer, float[]> offsets = new HashMap<>();

        @Override
        public Tensor decide(int router, Tensor margin) {
            Tensor noisy = margin.add(tensor(noise.computeIfAbsent(router, r -> draw(margin)), margin));
            Tensor soft = noisy.sigmoid();
            float[] offset = offsets.computeIfAbsent(
                    router,
                    r -> Parameters.toArray(
                            noisy.gt(new Scalar(0.0)).to(soft.scalar_type()).sub(soft)));
            return soft.add(tensor(offset, margin));
        }

        private float[] draw(Tensor like) {
            float[] drawn = new float[(int) like.numel()];
            for (int i = 0; i < drawn.length; i++) {
                double u = random.nextDouble();
                drawn[i] = (float) Math.log(u / (1 - u));
            }
            return drawn;
        }

        private static Tensor tensor(float[] values, Tensor like) {
            return Tensor.create(values).view_as(like);
        }
    }

    @BeforeAll
    static void differentiate() {
        GeneratedSamples source = new GeneratedSamples(3, SIDE, List.of());
        samples = IntStream.range(0, IMAGES).mapToObj(source::sample).toList();
        try (ModelSource init = ModelSource.open("seeded:vitmatte_tiny")) {
            student = MeMatte.student(init, 5, torch.ScalarType.Double, Devices.cpu());
            target = features(init);
        }
        enlarge(student.parameters());
        surrogate = new Surrogate();
        double plain = loss(surrogate, false);
        double straightThrough = loss(Policy.gumbel(new SplittableRandom(NOISE)), true);
        assertEquals(plain, straightThrough, 1e-6 * plain);
    }

    @AfterAll
    static void close() {
        target.releaseReference();
        student.close();
    }

    private static Tensor features(ModelSource init) {
        try (PointerScope temporaries = new PointerScope();
                MeMatte teacher = MeMatte.frozen(init, Devices.cpu())) {
            Batch batch = Batch.of(samples, Devices.cpu());
            return teacher.features(batch.image(), batch.trimap()).retainReference();
        }
    }

    /** Routers and LTRM start with weights so small that their gradients would hardly show. */
    private static void enlarge(Parameters parameters) {
        try (NoGradGuard guard = new NoGradGuard()) {
            parameters.shapes().keySet().stream()
                    .filter(name -> name.matches(".*(routers|efficient_block).*\\d\\.weight"))
                    .forEach(name -> parameters.get(name).mul_(new Scalar(4.0)));
        }
    }

    private static double loss(Policy policy, boolean backward) {
        try (PointerScope temporaries = new PointerScope();
                AutoGradMode mode = new AutoGradMode(backward)) {
            Batch batch = Batch.of(samples, Devices.cpu());
            MeMatte.Prediction prediction = student.train(batch.image(), batch.trimap(), policy);
            Tensor sum = Criterion.of(prediction, target, batch).sum();
            if (backward) {
                sum.backward();
            }
            return sum.item_double();
        }
    }

    private static void check(Tensor values, Tensor gradient, String what) {
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            torch.manual_seed(what.hashCode());
            Tensor direction = torch.randn_like(values);
            direction.div_(direction.norm()); // short steps cross few kinks of |x| and ReLU
            double expected = derivative(values.detach(), direction);
            double got = gradient.mul(direction).sum().item_double();
            System.out.printf("%s: %.8g by backward, %.8g by differences%n", what, got, expected);
            assertEquals(expected, got, PRECISION * Math.abs(expected), what);
            assertTrue(Math.abs(expected) > 1e-4, what + " matters");
        }
    }

    private static double derivative(Tensor values, Tensor direction) {
        double after = lossAt(values, direction, STEP);
        double before = lossAt(values, direction, -STEP);
        return (after - before) / (2 * STEP);
    }

    private static double lossAt(Tensor values, Tensor direction, double step) {
        values.add_(direction, new Scalar(step));
        double loss = loss(surrogate, false);
        values.add_(direction, new Scalar(-step));
        return loss;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "backbone.pos_embed",
                "backbone.patch_embed.proj.weight",
                "backbone.blocks.0.attn.rel_pos_h",
                "backbone.blocks.2.attn.qkv.weight",
                "backbone.blocks.2.efficient_block.fc1.weight",
                "backbone.blocks.5.efficient_block.dwconv.weight",
                "backbone.blocks.5.efficient_block.eca.conv.weight",
                "backbone.blocks.8.norm1.weight",
                "backbone.blocks.8.residual.conv2.weight",
                "backbone.routers.0.in_conv.0.weight",
                "backbone.routers.1.out_conv.2.weight",
                "backbone.routers.3.out_conv.4.bias",
                "decoder.convstream.convs.1.conv.weight",
                "decoder.fusion_blks.2.conv.bn.bias",
                "decoder.matting_head.matting_convs.3.weight"
            })
    void gradientOfATensor(String name) {
        Tensor tensor = student.parameters().get(name);
        check(tensor, tensor.mutable_grad(), name);
    }

    @Test
    void gradientOfAllTensorsTogether() {
        check(student.parameters().values(), student.parameters().gradients(), "everything");
    }
}
