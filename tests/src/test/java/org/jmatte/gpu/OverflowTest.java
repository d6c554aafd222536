package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.jmatte.Alphas;
import org.jmatte.Backend;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Precision;
import org.jmatte.Scenes;
import org.jmatte.StreamType;
import org.jmatte.image.Alpha;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.TensorInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks whose numbers pass what fp16 holds are computed all the same, or refused; never wrong. */
class OverflowTest {
    private static final int HEIGHT = 40;
    private static final int WIDTH = 60;

    @TempDir
    private Path directory;

    /** A network whose tensors with names that end so are multiplied. */
    private Path scaled(Map<String, Float> factors) {
        Path file = directory.resolve("scaled.safetensors");
        try (ModelSource source = ModelSource.open("seeded:mematte_tiny")) {
            CheckpointWriter.safetensors(new Scaled(source.checkpoint(), factors), file);
        }
        return file;
    }

    private record Scaled(Checkpoint checkpoint, Map<String, Float> factors) implements Checkpoint {
        @Override
        public String description() {
            return checkpoint.description();
        }

        @Override
        public Map<String, TensorInfo> tensors() {
            return checkpoint.tensors();
        }

        @Override
        public void read(String name, FloatBuffer target) {
            int from = target.position();
            checkpoint.read(name, target);
            factors.forEach((end, factor) -> {
                for (int i = from; name.endsWith(end) && i < target.position(); i++) {
                    target.put(i, target.get(i) * factor);
                }
            });
        }

        @Override
        public void close() {
            checkpoint.close();
        }
    }

    private static Matte matte(Path model, MattingOptions options, MatteRequest request) {
        try (Matting matting = Matting.open(model.toString(), options)) {
            return matting.matte(Scenes.photo(HEIGHT, WIDTH, 1), Scenes.disc(HEIGHT, WIDTH, 1), request);
        }
    }

    private static MattingOptions half(StreamType stream) {
        return MattingOptions.defaults()
                .withBackend(Backend.EMULATED)
                .withPrecision(Precision.FP16)
                .withStream(stream);
    }

    private void assertComputed(Map<String, Float> factors, StreamType stream) {
        Path model = scaled(factors);
        MatteRequest request = MatteRequest.defaults().withFormat(Alpha.Format.F32);
        Matte exact = matte(model, MattingOptions.defaults().withBackend(Backend.CPU), request);
        Matte matte = matte(
                model, half(stream), request.withForcedTokens(exact.routing().kept()));
        double worst = Alphas.difference(exact.alpha(), matte.alpha());
        assertTrue(worst < 0.02, "alpha differs by " + worst);
        assertEquals(exact.routing().kept(), matte.routing().kept());
    }

    /** fc1 of the refinement leaves 10^5 times as much, and the depthwise convolution takes it back. */
    private static final Map<String, Float> LARGE_HIDDEN =
            Map.of("efficient_block.fc1.weight", 1e5f, "efficient_block.fc1.bias", 1e5f, "dwconv.weight", 1e-5f);

    @Test
    void aRefinementThatOverflowsIsRepeatedInFp32() {
        assertComputed(LARGE_HIDDEN, StreamType.FP32);
    }

    @Test
    void aRefinementThatOverflowsIsRepeatedBesideANarrowStream() {
        assertComputed(LARGE_HIDDEN, StreamType.FP16);
    }

    @Test
    void aStreamThatOverflowsIsRefused() {
        Path model = scaled(Map.of("pos_embed", 1e8f));
        String message = assertThrows(
                        ArithmeticException.class, () -> matte(model, half(StreamType.AUTO), MatteRequest.defaults()))
                .getMessage();
        assertTrue(message.matches("block \\d+ .*FP16.*use bf16 or fp32"), message);
    }
}
