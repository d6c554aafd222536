package org.jmatte.network;

import org.jmatte.InvalidInputException;

/**
 * The way that an image took through {@link PamArchitecture}: which segments were kept. The others were bypassed.
 *
 * @param bits bit k is set if segment k was kept
 */
public record PamPath(int bits) {
    public static final PamPath BYPASS_ALL = new PamPath(0);
    public static final PamPath KEEP_ALL = new PamPath((1 << PamArchitecture.SEGMENTS) - 1);

    public PamPath {
        if (bits < 0 || bits >= 1 << PamArchitecture.SEGMENTS) {
            throw new InvalidInputException(
                    "path: expected a mask of " + PamArchitecture.SEGMENTS + " bits, got " + bits);
        }
    }

    /**
     * The path that its {@link #toString} names.
     *
     * @param text a 0 or 1 per segment, the first segment first
     */
    public static PamPath of(String text) {
        if (!text.matches("[01]{" + PamArchitecture.SEGMENTS + "}")) {
            throw new InvalidInputException("path: expected a 0 (bypassed) or 1 (kept) for each of the "
                    + PamArchitecture.SEGMENTS + " segments, got '" + text + "'");
        }
        return new PamPath(Integer.parseInt(new StringBuilder(text).reverse().toString(), 2));
    }

    public boolean keeps(int segment) {
        return (bits >> segment & 1) != 0;
    }

    /** The same with a segment kept. */
    public PamPath keeping(int segment) {
        return new PamPath(bits | 1 << segment);
    }

    /** Multiply-adds at 1024x1024 pixels. */
    public long macs() {
        return PamArchitecture.macs(this);
    }

    /** The same in units of 10^9. */
    public double gmacs() {
        return (double) macs() / PamArchitecture.GIGA;
    }

    /** The least budget, in whole GMACs, that allows it. */
    public int leastGmacs() {
        return Math.toIntExact((macs() + PamArchitecture.GIGA - 1) / PamArchitecture.GIGA);
    }

    /** A 0 or 1 per segment, the first segment first. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int segment = 0; segment < PamArchitecture.SEGMENTS; segment++) {
            text.append(keeps(segment) ? '1' : '0');
        }
        return text.toString();
    }
}
