package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.jmatte.network.Architecture;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.TensorInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One weight that is not a number never leads to a result. */
class BrokenWeightsTest {
    private static final int SIDE = 96;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"mematte_tiny", "vitmatte_tiny"})
    void aBrokenWeightOfAnyKindIsReported(String network) throws IOException {
        // Of the blocks: one of either sort.
        assertReported(
                network, name -> !name.matches("backbone\\.blocks\\.(0|1|3|4|5|6|7|8|9|10)\\..*|.*routers\\.[1-3].*"));
    }

    /**
     * Of the segments: one, on either path. Not of the embedding, which has rows for other budgets, nor of the outer
     * taps at the coarsest resolution, which see nothing but padding in so small a photo.
     */
    @Test
    void aBrokenWeightOnAnyPathIsReported() throws IOException {
        assertReported(
                "pam",
                name -> !name.matches(
                        "cost_embedding.*|.*second.*depthwise.weight|.*segments\\.[1-9].*|(en|de)coder\\.(six|eigh).*"));
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"mematte_tiny", "vitmatte_tiny"})
    void anyBrokenWeightIsReported(String network) throws IOException {
        assertReported(network, name -> true);
    }

    private void assertReported(String network, Predicate<String> which) throws IOException {
        Path file = directory.resolve("weights.safetensors");
        List<String> unnoticed = new ArrayList<>();
        try (ModelSource source = ModelSource.open("seeded:" + network)) {
            CheckpointWriter.safetensors(source.checkpoint(), file);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                long at = dataStart(channel);
                for (TensorInfo info : source.checkpoint().tensors().values()) {
                    long middle = at + info.elements() / 2 * Float.BYTES;
                    at += info.elements() * Float.BYTES;
                    if (which.test(info.name())) {
                        float before = exchange(channel, middle, Float.NaN);
                        if (!reported(file)) {
                            unnoticed.add(info.name());
                        }
                        exchange(channel, middle, before);
                    }
                }
                assertEquals(Files.size(file), at);
            }
        }
        assertEquals(List.of(), unnoticed, "not a number, unnoticed");
    }

    private static MattingOptions options(Architecture network) {
        MattingOptions defaults = MattingOptions.defaults();
        return network == PamArchitecture.PAM ? defaults : defaults.withKeep(0.5);
    }

    private static long dataStart(FileChannel channel) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        channel.read(length, 0);
        return Long.BYTES + length.getLong(0);
    }

    private static float exchange(FileChannel channel, long position, float value) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        channel.read(buffer, position);
        float before = buffer.getFloat(0);
        channel.write(buffer.clear().putFloat(value).flip(), position);
        return before;
    }

    private static boolean reported(Path file) {
        try (ModelSource source = ModelSource.open(file.toString());
                Matting matting = Matting.open(source, options(source.architecture()))) {
            List<PamPath> paths = source.architecture() == PamArchitecture.PAM
                    ? List.of(PamPath.KEEP_ALL, PamPath.BYPASS_ALL)
                    : Collections.singletonList(null);
            for (PamPath path : paths) {
                MatteRequest request = MatteRequest.defaults().withForcedPath(path);
                matting.matte(Scenes.photo(SIDE, SIDE, 1), Scenes.unknown(SIDE, SIDE), request);
            }
            return false;
        } catch (ArithmeticException e) {
            return true;
        }
    }
}
