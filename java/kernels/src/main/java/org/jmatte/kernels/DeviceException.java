package org.jmatte.kernels;

import java.util.List;

/**
 * A device failed, cannot be used, or is not there: the message has CUDA's own name and text of the error where there
 * is one, what was being done, and what to do.
 */
public class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient List<String> findings;

    public DeviceException(String message) {
        this(message, List.of(), null);
    }

    public DeviceException(String message, Throwable cause) {
        this(message, List.of(), cause);
    }

    DeviceException(String message, List<String> findings, Throwable cause) {
        super(message, cause);
        this.findings = List.copyOf(findings);
    }

    /** What an emulated device with checking found wrong in a kernel, one race, stray access or the like each; else empty. */
    public List<String> findings() {
        return findings == null ? List.of() : findings;
    }
}
