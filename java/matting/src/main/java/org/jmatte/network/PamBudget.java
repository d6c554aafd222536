package org.jmatte.network;

/** What a walk through {@link PamArchitecture} may still spend on segments; those ahead can always be bypassed. */
public final class PamBudget {
    private long headroom;

    /** @param gmacs in GMACs per 1024x1024 pixels, at least {@link PamArchitecture#leastGmacs} */
    public PamBudget(int gmacs) {
        headroom = gmacs * PamArchitecture.GIGA - PamPath.BYPASS_ALL.macs();
    }

    /** Pays for keeping a segment, or says that what is left does not suffice. */
    public boolean affords(int segment) {
        long extra = PamArchitecture.extra(segment);
        if (extra > headroom) {
            return false;
        }
        headroom -= extra;
        return true;
    }
}
