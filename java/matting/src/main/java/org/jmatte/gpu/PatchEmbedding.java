package org.jmatte.gpu;

import java.util.Arrays;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.EmbedPatches;
import org.jmatte.kernels.EmbedPatches.Planes;
import org.jmatte.kernels.Tensor;
import org.jmatte.weights.Parameters;
import org.jmatte.weights.Parameters.Scale;

/** stream = patches of 16x16 pixels times a matrix, plus the position table resized to the grid. */
final class PatchEmbedding {
    private static final String NAME = "backbone.patch_embed.proj";

    private final Linear projection;
    private final Tensor table;

    /** @param planes how pixels become the values of a patch; of any number of bits */
    PatchEmbedding(GpuWeights weights, Planes planes) {
        Parameters parameters = weights.parameters();
        int channels = (int) parameters.shape(NAME + ".weight")[0];
        Tensor matrix = weights.put(
                weights.operands(), () -> matrix(parameters, channels, planes), channels, EmbedPatches.PATCH_VALUES);
        Tensor bias = weights.put(ElementType.FP32, () -> bias(parameters, planes), channels);
        projection = new Linear(matrix, bias);
        table = weights.put(
                ElementType.FP32,
                () -> {
                    float[] stored = parameters.values("backbone.pos_embed");
                    return Arrays.copyOfRange(stored, channels, stored.length); // without the class token
                },
                (long) EmbedPatches.TABLE * EmbedPatches.TABLE,
                channels);
    }

    /** [C, (ky, kx, plane)], times the planes' factors. */
    private static float[] matrix(Parameters parameters, int channels, Planes planes) {
        float[] matrix = parameters.tapMajor(NAME + ".weight", Scale.none(channels), 0, EmbedPatches.PLANES);
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] *= planes.factor(i % EmbedPatches.PLANES);
        }
        return matrix;
    }

    private static float[] bias(Parameters parameters, Planes planes) {
        float[] weights = parameters.values(NAME + ".weight");
        float[] bias = parameters.values(NAME + ".bias");
        int area = EmbedPatches.PATCH * EmbedPatches.PATCH;
        for (int o = 0; o < bias.length; o++) {
            double sum = bias[o];
            for (int i = 0; i < EmbedPatches.PATCH_VALUES; i++) {
                sum += planes.offset(i / area) * weights[o * EmbedPatches.PATCH_VALUES + i];
            }
            bias[o] = (float) sum;
        }
        return bias;
    }

    void run(GpuRun run, DeviceImages images, Tensor x) {
        int tokens = (int) x.size(0);
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        int chunk = run.chunk(tokens, EmbedPatches.PATCH_VALUES, projection.outputs());
        run.scratch(() -> {
            Tensor patches = run.take(chunk, EmbedPatches.PATCH_VALUES);
            run.parts(tokens, chunk, (first, rows) -> {
                images.unfold(run, patches.rows(0, rows), gridWidth, first);
                projection.run(run, x.rows(first, rows), patches.rows(0, rows));
            });
        });
        EmbedPatches.position(run.device(), x, table, gridHeight, gridWidth, 0, run.stream());
    }
}
