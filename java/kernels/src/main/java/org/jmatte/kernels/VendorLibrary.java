package org.jmatte.kernels;

import java.util.ServiceLoader;

/**
 * A vendor's matrix products and convolutions. {@link Device#useLibrary} puts them in place of our kernels where a call is
 * plain; benchmarks run them beside ours. Never needed: the artifact {@code jmatte-vendor} brings one.
 */
public interface VendorLibrary extends AutoCloseable {
    /** With the versions of its parts. */
    String name();

    /**
     * Queues a call's plain part, whatever else the launch does.
     *
     * @return false if the library has no such call
     * @throws DeviceException if the library refuses
     */
    boolean run(PlainCall call, Stream stream);

    @Override
    void close();

    /** What an artifact on the class path offers. */
    interface Provider {
        /** @throws DeviceException if the library is not there or does not start: why, and what to do */
        VendorLibrary open(Device device);
    }

    /**
     * Opens the library that is on the class path.
     *
     * @throws DeviceException if there is none, or it does not start: why, and what to do
     */
    static VendorLibrary open(Device device) {
        return ServiceLoader.load(Provider.class)
                .findFirst()
                .orElseThrow(
                        () -> new DeviceException("vendor library: expected the artifact org.jmatte:jmatte-vendor on"
                                + " the class path, got none; add it, or leave products to our own kernels"))
                .open(device);
    }
}
