package org.jmatte.bench.cpu;

import org.jmatte.MatteRequest;
import org.jmatte.Matting;
import org.jmatte.network.PamArchitecture;
import org.jmatte.network.PamPath;
import org.jmatte.weights.ModelSource;

/** This library, through its public API. */
public final class JMattePeer implements NetworkPeer {
    @Override
    public String name() {
        return Operators.OURS;
    }

    @Override
    public Network open(String network, Scene scene, String dtype, int threads) {
        try (ModelSource source = ModelSource.open("seeded:" + network)) {
            Matting matting = Matting.open(source, Operators.options(source, dtype, threads));
            MatteRequest request = MatteRequest.defaults()
                    .withDecodeAll(true)
                    .withForcedPath(source.architecture() instanceof PamArchitecture ? PamPath.KEEP_ALL : null);
            return new Network() {
                @Override
                public void matte() {
                    matting.matte(scene.photo(), scene.trimap(), request);
                }

                @Override
                public void close() {
                    matting.close();
                }
            };
        }
    }
}
