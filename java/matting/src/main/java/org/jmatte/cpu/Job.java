package org.jmatte.cpu;

import org.jmatte.Routing;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamPath;

/** A network with what options and request leave it to choose. */
interface Job {
    /**
     * What a network chose on its way.
     *
     * @param routing the routers' decisions; of no tokens where there are no routers
     * @param closest how far the routers were from deciding otherwise
     * @param path the path taken, or null for a network of one path
     */
    record Choices(Routing routing, double closest, PamPath path) {
        /** Without routers' decisions. */
        static Choices undecided(Routing routing, PamPath path) {
            return new Choices(routing, Double.POSITIVE_INFINITY, path);
        }
    }

    /** Walks through the network without computing. */
    void plan(CpuRun run);

    /** Computes alpha. */
    Choices compute(CpuRun run, Photo photo, Trimap trimap, Alpha alpha);

    /** The choices of a run in which nothing had to be computed. */
    Choices none();

    /** Most tokens that may attend in a routed block; 0 for a network without tokens. */
    int tokenCap();

    /** The cap from which on a higher one changes nothing. */
    int tokens();

    /** The same with another cap, where there are tokens. */
    Job withTokenCap(int cap);

    /** The compute budget in GMACs per 1024x1024 pixels; 0 for a network of one path. */
    int gmacs();
}
