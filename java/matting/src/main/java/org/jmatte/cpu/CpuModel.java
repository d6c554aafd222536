package org.jmatte.cpu;

import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.execution.PamSettings;
import org.jmatte.execution.VitSettings;
import org.jmatte.network.Geometry;
import org.jmatte.weights.Checkpoint;

/** A network's layers with their weights laid out, shared by all runs. */
abstract class CpuModel implements AutoCloseable {
    final CpuWeights weights;

    /** @param checkpoint the weights, or null for sizes alone */
    CpuModel(NetworkSettings settings, Checkpoint checkpoint, ElementType operands) {
        weights = new CpuWeights(settings.architecture(), checkpoint, operands);
    }

    /**
     * The layers of a network.
     *
     * @param checkpoint the weights, or null for sizes alone
     */
    static CpuModel of(NetworkSettings settings, Checkpoint checkpoint, ElementType operands) {
        return settings instanceof VitSettings vit
                ? new VitModel(vit, checkpoint, operands)
                : new PamModel((PamSettings) settings, checkpoint, operands);
    }

    abstract NetworkSettings settings();

    /**
     * What a run at this size does.
     *
     * @throws InvalidInputException if the request asks for what this network does not have
     */
    abstract Job job(Geometry geometry, MatteRequest request);

    /** Bytes of the weights as laid out. */
    final long bytes() {
        return weights.bytes();
    }

    @Override
    public final void close() {
        weights.close();
    }
}
