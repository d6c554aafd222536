package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.MattingOptions;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.HuggingFaceDirectory;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The networks on libtorch, as they infer, against the files that the PyTorch reference wrote. */
class MeMatteGoldenTest {
    private static final float TOLERANCE = 1e-4f;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "mematte_tiny-96x128-seed1-stages, seeded:mematte_tiny:1, " + MattingOptions.DEFAULT_MAX_TOKENS,
        "mematte_tiny-100x320-seed2, seeded:mematte_tiny:2, " + MattingOptions.DEFAULT_MAX_TOKENS,
        "mematte_tiny-544x608-seed3-cap200, seeded:mematte_tiny:3, 200",
        "mematte_s-200x333-seed4, seeded:mematte_s:4, " + MattingOptions.DEFAULT_MAX_TOKENS,
        "vitmatte_tiny-96x160-seed7-stages, seeded:vitmatte_tiny:7, 0",
        "vitmatte_s-200x333-seed8, seeded:vitmatte_s:8, 0"
    })
    void inferenceEqualsTheReference(String golden, String model, int maxTokens) throws Exception {
        try (ModelSource source = ModelSource.open(model)) {
            compare(golden, source, false, maxTokens);
        }
    }

    @Test
    void photosAreNormalisedAsTheWeightsAskFor() throws Exception {
        try (ModelSource seeded = ModelSource.open("seeded:vitmatte_s:8")) {
            HuggingFaceDirectory.write(seeded.checkpoint(), directory);
        }
        try (ModelSource source = ModelSource.open(directory.toString())) {
            compare("vitmatte_s-200x333-seed8-huggingface", source, true, 0);
        }
    }

    private static void compare(String golden, ModelSource source, boolean huggingface, int maxTokens)
            throws Exception {
        Path path = Path.of(MeMatteGoldenTest.class
                .getResource("/goldens/" + golden + ".safetensors")
                .toURI());
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard();
                Checkpoint file = Checkpoint.open(path);
                MeMatte network = MeMatte.frozen(source, Devices.cpu())) {
            long[] size = file.tensors().get("trimap").shape();
            Tensor image = bytes(file, "image").view(1, 3, size[0], size[1]);
            Tensor trimap = bytes(file, "trimap").view(1, 1, size[0], size[1]);
            MeMatte.Prediction prediction = network.infer(image, trimap, huggingface, maxTokens);
            assertArrayEquals(values(file, "alpha"), Parameters.toArray(prediction.alpha()), TOLERANCE);
            assertEquals(
                    source.architecture().routed() ? 4 : 0, prediction.kept().size());
            for (int r = 0; r < prediction.kept().size(); r++) {
                float[] kept = Parameters.toArray(prediction.kept().get(r));
                assertArrayEquals(values(file, "router" + r + ".keep"), kept, "router " + r);
            }
        }
    }

    /** The bytes of a golden's image, 0..1. */
    private static Tensor bytes(Checkpoint file, String name) {
        return Tensor.create(values(file, name)).div(new Scalar(255.0));
    }

    private static float[] values(Checkpoint file, String name) {
        FloatBuffer values = FloatBuffer.allocate((int) file.tensors().get(name).elements());
        file.read(name, values);
        return values.array();
    }
}
