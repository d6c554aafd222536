package org.jmatte.train.pam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.Scenes;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamArchitecture;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.jmatte.train.torch.ParametersFile;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The network of the trainer and that of the inference engine, two independent definitions, agree. */
class PamTest {
    @ParameterizedTest
    @CsvSource({"64, 96, 1, 76", "96, 160, 2, 70", "128, 64, 3, 60", "96, 96, 4, 52"})
    void equalsTheInferenceEngine(int height, int width, long seed, int gmacs) {
        Photo photo = Scenes.photo(height, width, seed);
        Trimap trimap = Scenes.disc(height, width, seed);
        String model = "seeded:pam:" + seed;
        List<Float> margins = new ArrayList<>();
        Matte matte;
        try (Matting matting = Matting.open(model)) {
            matte = matting.matte(
                    photo,
                    trimap,
                    MatteRequest.defaults()
                            .withFormat(Alpha.Format.F32)
                            .withKeepKnown(false)
                            .withGmacs(gmacs)
                            .withStages((stage, values, shape) -> {
                                if (stage.endsWith(".margin")) {
                                    margins.add(values.get(0));
                                }
                            }));
        }
        try (PointerScope temporaries = new PointerScope();
                NoGradGuard guard = new NoGradGuard();
                ModelSource source = ModelSource.open(model);
                Pam pam = new Pam(Devices.cpu())) {
            ParametersFile.read(source.checkpoint(), pam.parameters());
            Pam.Prediction prediction = pam.forward(image(photo), plane(trimap), gmacs, Decisions.within(gmacs));
            assertEquals(matte.path(), prediction.path());
            float[] alpha = Parameters.toArray(prediction.alpha());
            double worst = 0;
            for (int i = 0; i < alpha.length; i++) {
                double clamped = Math.max(0, Math.min(1, alpha[i]));
                worst = Math.max(worst, Math.abs(clamped - matte.alpha().get(i / width, i % width)));
            }
            assertTrue(worst < 1e-5, "alpha differs by " + worst);
            assertEquals(PamArchitecture.SEGMENTS, margins.size());
            for (int k = 0; k < margins.size(); k++) {
                float[] logits = Parameters.toArray(prediction.logits().get(k));
                assertEquals(logits[1] - logits[0], margins.get(k), 1e-4, "margin of segment " + k);
            }
        }
    }

    /** Features of the budgets are like N(0, 1), alike for neighbours, and tell any two budgets apart. */
    @Test
    void theEmbeddingBeginsSmooth() {
        try (Pam pam = new Pam(Devices.cpu())) {
            pam.initialise(3);
            Tensor embedding = pam.parameters().get("cost_embedding.weight");
            int budgets = Math.toIntExact(embedding.size(0));
            int features = Math.toIntExact(embedding.size(1));
            float[] values = Parameters.toArray(embedding);
            double squares = 0;
            for (float value : values) {
                squares += value * value;
            }
            assertEquals(1, squares / values.length, 0.3);
            for (int budget = 1; budget < budgets; budget++) {
                assertEquals(0.25, distance(values, features, budget - 1, budget), 0.12, "to neighbour " + budget);
            }
            assertTrue(distance(values, features, 0, budgets - 1) > 1);
        }
    }

    /** Root of the mean squared difference of two rows. */
    private static double distance(float[] rows, int columns, int one, int other) {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += Math.pow(rows[one * columns + i] - rows[other * columns + i], 2);
        }
        return Math.sqrt(sum / columns);
    }

    private static Tensor image(Photo photo) {
        int pixels = photo.height() * photo.width();
        ByteBuffer bytes = photo.pixels();
        float[] planes = new float[3 * pixels];
        for (int i = 0; i < planes.length; i++) {
            planes[i % 3 * pixels + i / 3] = (bytes.get(i) & 255) / 255f;
        }
        return Tensor.create(planes, 1, 3, photo.height(), photo.width());
    }

    private static Tensor plane(Trimap trimap) {
        ByteBuffer bytes = trimap.bytes();
        float[] plane = new float[trimap.height() * trimap.width()];
        for (int i = 0; i < plane.length; i++) {
            int value = bytes.get(i) & 255;
            plane[i] = value == 0 ? 0 : value == 255 ? 1 : 0.5f;
        }
        return Tensor.create(plane, 1, 1, trimap.height(), trimap.width());
    }
}
