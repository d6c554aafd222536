package org.jmatte.gpu;

import org.jmatte.Routing;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.Event;
import org.jmatte.network.PamPath;

/** A network with what options and request leave it to choose. */
interface Job {
    /**
     * Walks through the network: queues its work, or plans.
     *
     * @param active where pixels are wanted
     * @param encoded is recorded when the features are complete
     */
    Walk walk(GpuRun run, DeviceImages images, ActiveArea active, Event encoded);

    /** A walk's choices. */
    interface Walk {
        /**
         * The routers' decisions; waits for the device.
         *
         * @throws ArithmeticException if a margin is no number
         */
        Routing routing();

        /** How far the routers were from deciding otherwise; once {@link #routing} was called. */
        double closest();

        /** The path taken, or null for a network of one path. */
        PamPath path();
    }

    /** The decisions of a run in which nothing had to be computed. */
    Routing undecided();

    /** Most tokens that may attend in a routed block; 0 for a network without tokens. */
    int tokenCap();

    /** The cap from which on a higher one changes nothing. */
    int tokens();

    /** The same with another cap, where there are tokens. */
    Job withTokenCap(int cap);

    /** The compute budget in GMACs per 1024x1024 pixels; 0 for a network of one path. */
    int gmacs();
}
