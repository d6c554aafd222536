package org.jmatte.execution;

import org.jmatte.InvalidInputException;
import org.jmatte.MattingOptions;
import org.jmatte.network.Architecture;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.ModelSource;

/** How a model's network is to run, whatever executes it; what the network does not have is refused. */
public abstract sealed class NetworkSettings permits VitSettings, PamSettings {
    private final Architecture architecture;
    private final float[] mean;
    private final float[] std;

    NetworkSettings(ModelSource source) {
        architecture = source.architecture();
        mean = source.mean();
        std = source.std();
    }

    /** @throws InvalidInputException if an option is none of the source's network */
    public static NetworkSettings of(ModelSource source, MattingOptions options) {
        return source.architecture() instanceof VitArchitecture network
                ? new VitSettings(source, network, options)
                : new PamSettings(source, options);
    }

    public final Architecture architecture() {
        return architecture;
    }

    /** Of the photo's channels, as the network was trained. */
    public final float[] mean() {
        return mean;
    }

    /** Of the photo's channels, as the network was trained. */
    public final float[] std() {
        return std;
    }

    /** How a photo is laid out. */
    public abstract Geometry geometry(int height, int width);

    /** @throws InvalidInputException if something was asked that this network does not have */
    final void refuse(boolean asked, String option, String why) {
        if (asked) {
            throw new InvalidInputException(
                    option + ": " + architecture.name() + " " + why + "; leave it out or choose another model");
        }
    }
}
