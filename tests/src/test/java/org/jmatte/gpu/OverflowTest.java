package org.jmatte.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jmatte.Alphas;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
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
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.TensorInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Networks whose numbers pass what fp16 holds are computed all the same, or refused; never wrong. */
class OverflowTest {
    /** A grid of 16 x 2 tokens: two rows of windows, four bands of the refinement in little memory. */
    private static final int HEIGHT = 232;

    private static final int WIDTH = 30;
    private static final Pattern REPEATED = Pattern.compile("WARN (block \\d+ .*|the decoder's input), (.*): numbers"
            + " pass what fp16 holds; repeated in fp32");
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    @TempDir
    private Path directory;

    private final Photo photo = Scenes.photo(HEIGHT, WIDTH, 1);
    private final Trimap trimap = Scenes.disc(HEIGHT, WIDTH, 1);

    /** What a tensor's value is multiplied with: by the tensor's name, and the value's place from 0 to 1. */
    @FunctionalInterface
    private interface Factor {
        float of(String name, double place);
    }

    /** Of tensors with names that end so. */
    private static Factor factors(Map<String, Float> byEnd) {
        return (name, place) -> byEnd.entrySet().stream()
                .filter(end -> name.endsWith(end.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(1f);
    }

    /** A network whose values are multiplied. */
    private Path scaled(Factor factor) {
        Path file = directory.resolve("scaled.safetensors");
        try (ModelSource source = ModelSource.open("seeded:mematte_tiny")) {
            CheckpointWriter.safetensors(new Scaled(source.checkpoint(), factor), file);
        }
        return file;
    }

    private record Scaled(Checkpoint checkpoint, Factor factor) implements Checkpoint {
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
            double elements = target.position() - from;
            for (int i = from; i < target.position(); i++) {
                target.put(i, target.get(i) * factor.of(name, (i - from) / elements));
            }
        }

        @Override
        public void close() {
            checkpoint.close();
        }
    }

    private static MattingOptions half(StreamType stream) {
        return MattingOptions.defaults()
                .withBackend(Backend.EMULATED)
                .withPrecision(Precision.FP16)
                .withStream(stream);
    }

    /** The smallest budget, which a refusal names; more is needed where bands may have to be repeated. */
    private long leastBytes(Path model, MattingOptions options) {
        try (Matting matting = Matting.open(model.toString(), options.withMemoryBudget(1))) {
            String message = assertThrows(
                            InvalidInputException.class, () -> matting.matte(photo, trimap, EXACT))
                    .getMessage();
            return Long.parseLong(message.replaceAll(".*at least (\\d+) bytes.*", "$1"));
        }
    }

    /** Two images with a scaled network and little memory; returns the bands that were repeated for the second. */
    private String repeated(Factor factor, MattingOptions options) {
        Path model = scaled(factor);
        Matte exact;
        try (Matting matting =
                Matting.open(model.toString(), MattingOptions.defaults().withBackend(Backend.CPU))) {
            exact = matting.matte(photo, trimap, EXACT);
        }
        MatteRequest request = EXACT.withForcedTokens(exact.routing().kept());
        MattingOptions tight = options.withMemoryBudget(leastBytes(model, options) * 5 / 4);
        try (Matting matting = Matting.open(model.toString(), tight)) {
            Matte matte = matting.matte(photo, trimap, request);
            double worst = Alphas.difference(exact.alpha(), matte.alpha());
            System.out.printf("alpha within %.2g%n", worst);
            assertTrue(worst < 0.02, "alpha differs by " + worst);
            assertEquals(exact.routing().kept(), matte.routing().kept());
            assertEquals(matte.plannedBytes(), matte.peakBytes());
            String log = logged(() -> {
                Matte again = matting.matte(photo, trimap, request);
                assertEquals(matte.alpha().values(), again.alpha().values());
                assertEquals(again.plannedBytes(), again.peakBytes());
            });
            assertTrue(!log.contains("begun again"), log);
            System.out.println(log);
            return REPEATED.matcher(log)
                    .results()
                    .map(match -> match.group(1) + ": " + match.group(2))
                    .collect(Collectors.joining("; "));
        }
    }

    private static String logged(Runnable work) {
        PrintStream before = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            work.run();
        } finally {
            System.setErr(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** fc1 of the refinement leaves 10^5 times as much, and the depthwise convolution takes it back. */
    @ParameterizedTest
    @EnumSource(
            value = StreamType.class,
            names = {"FP32", "FP16"})
    void bandsOfTheRefinement(StreamType stream) {
        String places = repeated(
                factors(Map.of(
                        "blocks.2.efficient_block.fc1.weight", F1,
                        "blocks.2.efficient_block.fc1.bias", F1,
                        "dwconv.weight", 1 / F1)),
                half(stream));
        assertEquals("", places);
    }

    @ParameterizedTest
    @EnumSource(
            value = StreamType.class,
            names = {"FP32", "FP16"})
    void chunksOfTheMlp(StreamType stream) {
        String places = repeated(
                factors(Map.of(
                        "blocks.1.mlp.fc1.weight", F2,
                        "blocks.1.mlp.fc1.bias", F2,
                        "blocks.1.mlp.fc2.weight", 1 / F2)),
                half(stream));
        assertEquals("", places);
    }

    /** Values, the last third of what attention is made of, are large, and the projection takes it back. */
    @ParameterizedTest
    @EnumSource(
            value = StreamType.class,
            names = {"FP32", "FP16"})
    void bandsOfWindows(StreamType stream) {
        String places = repeated(
                (name, place) -> {
                    boolean values = place >= 2.0 / 3;
                    if (name.contains("blocks.3.attn.qkv") && values) {
                        return F3;
                    }
                    return name.endsWith("blocks.3.attn.proj.weight") ? 1 / F3 : 1;
                },
                half(stream));
        assertEquals("", places);
    }
    private static final float F1 = Float.parseFloat(System.getProperty("F1","1e5"));
    private static final float F2 = Float.parseFloat(System.getProperty("F2","1e4"));
    private static final float F3 = Float.parseFloat(System.getProperty("F3","1e4"));
    private static final float F4 = Float.parseFloat(System.getProperty("F4","1e5"));

    /** Where the decoder and the bottlenecks read it, the stream has no norm before it. */
    @Test
    void aStreamBeyondFp16() {
        String places = repeated(
                factors(Map.of("pos_embed", F4, "efficient_block.fc1.weight", 1e-3f, "fusion_blks.0.conv.conv.weight", 1e-2f)),
                half(StreamType.FP32));
        assertEquals("", places);
    }

    @Test
    void aStreamThatIsTooNarrowIsRefused() {
        Path model = scaled(factors(Map.of("pos_embed", 1e8f)));
        try (Matting matting = Matting.open(model.toString(), half(StreamType.FP16))) {
            String message = assertThrows(
                            ArithmeticException.class, () -> matting.matte(photo, trimap, EXACT))
                    .getMessage();
            assertTrue(message.matches("block \\d+ .*fp16.*use bf16 or fp32"), message);
        }
    }
}
