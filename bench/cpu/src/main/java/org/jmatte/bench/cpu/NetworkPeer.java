package org.jmatte.bench.cpu;

import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Somebody who runs whole networks; found as a service, so that ONNX Runtime need not be there. */
public interface NetworkPeer {
    /** The name of a peer in a module of its own. */
    String ONNX_RUNTIME = "onnxruntime";

    /** The system property that tells its file. */
    String ONNX_FILE = "jmatte.bench.onnx";

    /** A network with its photo. */
    interface Network extends AutoCloseable {
        /** Computes alpha. */
        void matte();

        @Override
        void close();
    }

    /** What it is called in the results. */
    String name();

    /**
     * Loads seeded weights, or a file's.
     *
     * @param network {@code mematte_s}, {@code vitmatte_s}, {@code pam}
     * @param dtype {@code fp32} or {@code bf16}
     */
    Network open(String network, Scene scene, String dtype, int threads);

    /** @throws IllegalArgumentException if nobody of this name is on the class path */
    static NetworkPeer named(String name) {
        return ServiceLoader.load(NetworkPeer.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(peer -> peer.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("peer: expected one of "
                        + ServiceLoader.load(NetworkPeer.class).stream()
                                .map(peer -> peer.get().name())
                                .collect(Collectors.joining(", "))
                        + ", got " + name));
    }
}
