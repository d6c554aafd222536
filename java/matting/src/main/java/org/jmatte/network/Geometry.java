package org.jmatte.network;

/**
 * Sizes of one image on its way through a network, in pixels unless named otherwise.
 *
 * @param height rows of the photo
 * @param width columns of the photo
 * @param paddedHeight rows after padding below, a multiple of 32
 * @param paddedWidth columns after padding on the right, a multiple of 32
 * @param canvasHeight rows that the decoder sees, a multiple of 16
 * @param canvasWidth columns that the decoder sees, a multiple of 16
 */
public record Geometry(int height, int width, int paddedHeight, int paddedWidth, int canvasHeight, int canvasWidth) {

    private static final int MULTIPLE = 32;
    /** MEMatte's original decodes tiles of this size, of an image zero-padded to its multiples. */
    private static final int TILE = 512;
    /** The decoder's reach: farther than this the zeros beyond the padded image change nothing in it. */
    private static final int REACH = 48;

    /**
     * @param huggingface pad each side to its next multiple of 32, instead of as the authors do
     * @param tiled the decoder sees zeros beyond the padded image, as in MEMatte's tiled decoding
     */
    public static Geometry of(int height, int width, boolean huggingface, boolean tiled) {
        boolean fits = height % MULTIPLE == 0 && width % MULTIPLE == 0;
        int paddedHeight = huggingface || fits ? roundUp(height, MULTIPLE) : height / MULTIPLE * MULTIPLE + MULTIPLE;
        int paddedWidth = huggingface || fits ? roundUp(width, MULTIPLE) : width / MULTIPLE * MULTIPLE + MULTIPLE;
        return new Geometry(
                height,
                width,
                paddedHeight,
                paddedWidth,
                tiled ? canvas(paddedHeight) : paddedHeight,
                tiled ? canvas(paddedWidth) : paddedWidth);
    }

    /** Of {@link PamArchitecture}: each side grows to its next multiple of 32. */
    public static Geometry pam(int height, int width) {
        return of(height, width, true, false);
    }

    private static int canvas(int padded) {
        return Math.min(padded + REACH, roundUp(padded, TILE));
    }

    private static int roundUp(int size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }

    /** The padded area in units of 1024x1024 pixels, for which compute budgets are stated. */
    public double referenceAreas() {
        double side = PamArchitecture.REFERENCE_SIDE;
        return paddedHeight / side * (paddedWidth / side);
    }

    /** So many pixels per pixel of the padded photo. */
    public double paddedShare(long pixels) {
        return (double) pixels / ((long) paddedHeight * paddedWidth);
    }

    public int gridHeight() {
        return paddedHeight / VitArchitecture.PATCH;
    }

    public int gridWidth() {
        return paddedWidth / VitArchitecture.PATCH;
    }

    public int tokens() {
        return gridHeight() * gridWidth();
    }
}
