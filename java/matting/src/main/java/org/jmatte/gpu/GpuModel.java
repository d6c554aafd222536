package org.jmatte.gpu;

import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.network.Architecture;
import org.jmatte.network.Geometry;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.ModelSource;

/** A network's layers with their weights laid out, shared by all runs. */
abstract class GpuModel {
    private final Architecture architecture;
    private final float[] mean;
    private final float[] std;

    GpuModel(ModelSource source) {
        architecture = source.architecture();
        mean = source.mean();
        std = source.std();
    }

    /**
     * The layers of the source's network.
     *
     * @throws InvalidInputException if an option is none of this network's
     */
    static GpuModel of(ModelSource source, MattingOptions options, GpuWeights weights) {
        if (source.architecture() instanceof VitArchitecture network) {
            return new VitModel(source, network, options, weights);
        }
        if (source.architecture() instanceof PamArchitecture) {
            return new PamModel(source, options, weights);
        }
        throw new IllegalStateException("no layers for " + source.architecture());
    }

    /** How a photo is laid out. */
    abstract Geometry geometry(int height, int width);

    /**
     * What a run at this size does.
     *
     * @throws InvalidInputException if the request asks for what this network does not have
     */
    abstract Job job(Geometry geometry, MatteRequest request);

    final Architecture architecture() {
        return architecture;
    }

    final float[] mean() {
        return mean;
    }

    final float[] std() {
        return std;
    }

    /** @throws InvalidInputException if something was asked that this network does not have */
    final void refuse(boolean asked, String option, String why) {
        if (asked) {
            throw new InvalidInputException(
                    option + ": " + architecture.name() + " " + why + "; leave it out or choose another model");
        }
    }
}
