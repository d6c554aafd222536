package org.jmatte.gpu;

import org.jmatte.InvalidInputException;
import org.jmatte.MatteRequest;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.execution.VitSettings;
import org.jmatte.network.Geometry;

/** A network's layers with their weights laid out, shared by all runs. */
interface GpuModel {
    /** The layers of a network. */
    static GpuModel of(NetworkSettings settings, GpuWeights weights) {
        return settings instanceof VitSettings vit ? new VitModel(vit, weights) : new PamModel(weights);
    }

    /**
     * What a run at this size does.
     *
     * @param settings of this network
     * @throws InvalidInputException if the request asks for what this network does not have
     */
    Job job(NetworkSettings settings, Geometry geometry, MatteRequest request);
}
