package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
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
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
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
            CheckpointWriter.safetensors(
                    new ScaledCheckpoint(source.checkpoint(), (name, row, column) -> factor(factors, name)), file);
        }
        return file;
    }

    private static float factor(Map<String, Float> factors, String name) {
        return factors.entrySet().stream()
                .filter(factor -> name.endsWith(factor.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(1f);
    }

    private static Matte matte(Path model, MattingOptions options, MatteRequest request) {
        try (Matting matting = Matting.open(model.toString(), options)) {
            return matting.matte(photo(), trimap(), request);
        }
    }

    private static MattingOptions half(StreamType stream) {
        return MattingOptions.defaults()
                .withBackend(Backend.EMULATED)
                .withPrecision(Precision.FP16)
                .withStream(stream);
    }

    /** The first image is begun again with bands watched; the second one is not. */
    private void assertComputed(Map<String, Float> factors, StreamType stream) {
        Path model = scaled(factors);
        MatteRequest request = MatteRequest.defaults().withFormat(Alpha.Format.F32);
        Matte exact = matte(model, MattingOptions.defaults().withBackend(Backend.CPU), request);
        MatteRequest forced = request.withForcedTokens(exact.routing().kept());
        try (Matting matting = Matting.open(model.toString(), half(stream))) {
            Matte first = matting.matte(photo(), trimap(), forced);
            Matte second = matting.matte(photo(), trimap(), forced);
            for (Matte matte : List.of(first, second)) {
                double worst = Alphas.difference(exact.alpha(), matte.alpha());
                assertTrue(worst < 0.02, "alpha differs by " + worst);
                assertEquals(exact.routing().kept(), matte.routing().kept());
                assertEquals(matte.plannedBytes(), matte.peakBytes());
            }
            assertEquals(first.alpha().values(), second.alpha().values());
        }
    }

    private static Photo photo() {
        return Scenes.photo(HEIGHT, WIDTH, 1);
    }

    private static Trimap trimap() {
        return Scenes.disc(HEIGHT, WIDTH, 1);
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

    /** Bottlenecks and decoder read the stream without a norm before. */
    @Test
    void anFp32StreamMayPassWhatFp16Holds() {
        assertComputed(
                Map.of("pos_embed", 1e6f, "efficient_block.fc1.weight", 1e-3f, "fusion_blks.0.conv.conv.weight", 1e-2f),
                StreamType.FP32);
    }

    @Test
    void anFp16StreamThatOverflowsIsRefused() {
        Path model = scaled(Map.of("pos_embed", 1e8f));
        String message = assertThrows(
                        ArithmeticException.class, () -> matte(model, half(StreamType.FP16), MatteRequest.defaults()))
                .getMessage();
        assertTrue(message.matches("block \\d+ .*fp16.*use bf16 or fp32"), message);
    }
}
