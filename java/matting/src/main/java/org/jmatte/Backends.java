package org.jmatte;

import org.jmatte.cpu.CpuExecution;
import org.jmatte.execution.Execution;
import org.jmatte.gpu.GpuExecution;
import org.jmatte.gpu.SharedDevice;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.PlanningDevice;
import org.jmatte.weights.ModelSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place where it is decided what executes a network. */
final class Backends {
    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

    /** What is planned for without a card: an RTX 2080 Ti, and where types need it, as large a card of the next kind. */
    private static final int PLANNED_ARCHITECTURE = 75;

    private static final int PLANNED_ARCHITECTURE_BF16 = 80;
    private static final int PLANNED_MULTIPROCESSORS = 68;

    private Backends() {}

    /**
     * Opens a model.
     *
     * @throws InvalidInputException if the backend asked for is not there
     */
    static Execution open(ModelSource source, MattingOptions options) {
        SharedDevice device = device(options);
        return device == null ? CpuExecution.open(source, options) : GpuExecution.open(source, options, device);
    }

    /** Prepares plans, for which no card is needed: without one they are for an RTX 2080 Ti. */
    static Execution withoutWeights(ModelSource source, MattingOptions options) {
        SharedDevice device;
        try {
            device = device(options);
        } catch (NoDeviceException e) {
            LOG.info(
                    "Planning for an RTX 2080 Ti (sm_75, {} multiprocessors): {}",
                    PLANNED_MULTIPROCESSORS,
                    e.getMessage());
            device = SharedDevice.of(new PlanningDevice(
                    options.precision() == Precision.BF16 ? PLANNED_ARCHITECTURE_BF16 : PLANNED_ARCHITECTURE,
                    PLANNED_MULTIPROCESSORS));
        }
        return device == null
                ? CpuExecution.withoutWeights(source, options)
                : GpuExecution.withoutWeights(source, options, device);
    }

    /** The device to run on, or null for the processor. */
    private static SharedDevice device(MattingOptions options) {
        return switch (options.backend()) {
            case CPU -> null;
            case EMULATED -> SharedDevice.emulated();
            case CUDA -> card(options);
            case AUTO -> cardIfAny(options);
        };
    }

    private static SharedDevice card(MattingOptions options) {
        try {
            return SharedDevice.card(options.device());
        } catch (DeviceException e) {
            throw new NoDeviceException(e);
        }
    }

    private static SharedDevice cardIfAny(MattingOptions options) {
        try {
            SharedDevice device = card(options);
            LOG.info("Running on {}", device);
            return device;
        } catch (NoDeviceException e) {
            LOG.info("Running on the CPU: {}", e.getMessage());
            return null;
        }
    }

    /** There is no card that can run the kernels. */
    private static final class NoDeviceException extends InvalidInputException {
        NoDeviceException(DeviceException why) {
            super("backend: " + why.getMessage(), why);
        }
    }
}
