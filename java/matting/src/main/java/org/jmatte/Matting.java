package org.jmatte;

import java.awt.image.BufferedImage;
import java.util.Optional;
import org.jmatte.execution.Execution;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.Architecture;
import org.jmatte.weights.ModelSource;

/**
 * A matting network, ready to run: photo and trimap in, alpha out, at the photo's own resolution.
 *
 * <pre>{@code
 * try (Matting matting = Matting.open("MEMatte_ViTS_DIM.pth")) {
 *     Matte matte = matting.matte(photo, trimap);
 *     ImageIO.write(matte.alpha().toImage(), "png", file);
 * }
 * }</pre>
 *
 * Thread-safe: several threads may ask for mattes at once; they share the weights and one pool of worker threads. On a card
 * objects of the same model share one copy of the weights too, and two mattes are under way at a time: the images of one
 * travel while another is computed.
 */
public final class Matting implements AutoCloseable {
    private final Execution execution;

    private Matting(Execution execution) {
        this.execution = execution;
    }

    /** Opens a model with the default options. */
    public static Matting open(String model) {
        return open(model, MattingOptions.defaults());
    }

    /**
     * Opens a model and lays out its weights.
     *
     * @param model a checkpoint file, a Hugging Face directory, {@code box:NAME} or {@code seeded:NAME[:SEED]}
     * @throws InvalidInputException if the model cannot be read, or an option cannot be met on this machine
     */
    public static Matting open(String model, MattingOptions options) {
        try (ModelSource source = ModelSource.open(model)) {
            return open(source, options);
        }
    }

    /**
     * Lays out the weights of a model that is open already, which may be closed after.
     *
     * @throws InvalidInputException if an option cannot be met on this machine
     */
    public static Matting open(ModelSource model, MattingOptions options) {
        return new Matting(Backends.open(model, options));
    }

    /** What a run of the given size would need; reads no weights. */
    public static Plan plan(String model, int height, int width, MattingOptions options) {
        try (ModelSource source = ModelSource.open(model)) {
            return plan(source, height, width, options);
        }
    }

    /** {@link #plan(String, int, int, MattingOptions)} of a model that is open already. */
    public static Plan plan(ModelSource model, int height, int width, MattingOptions options) {
        try (Execution shapes = Backends.withoutWeights(model, options)) {
            return shapes.plan(height, width);
        }
    }

    public Architecture architecture() {
        return execution.architecture();
    }

    /** What executes the network: never {@link Backend#AUTO}. */
    public Backend backend() {
        return execution.backend();
    }

    /** What a run of the given size needs. */
    public Plan plan(int height, int width) {
        return execution.plan(height, width);
    }

    /**
     * Measures in about a second what this machine reaches, with up to half a gigabyte that no budget counts; empty for
     * the emulator, whose times mean nothing.
     */
    public Optional<Roofline> roofline() {
        return execution.roofline();
    }

    /** {@link #matte(Photo, Trimap, MatteRequest)} of images, the trimap's values snapped to 0, 0.5 and 1. */
    public Matte matte(BufferedImage photo, BufferedImage trimap) {
        return matte(Photo.of(photo), Trimap.of(trimap, Trimap.Values.SNAP), MatteRequest.defaults());
    }

    /**
     * Computes the alpha matte.
     *
     * @param photo HxW RGB pixels
     * @param trimap HxW: 0 background, 255 foreground, anything else unknown
     * @throws InvalidInputException if the sizes differ, a budget is too small, forced tokens or a forced path do not
     *     fit, or the request asks for what this network does not have
     * @throws java.util.concurrent.CancellationException if the request was cancelled
     * @throws ArithmeticException if the network's result is not a number somewhere
     */
    public Matte matte(Photo photo, Trimap trimap, MatteRequest request) {
        return execution.matte(photo, trimap, request);
    }

    /** Frees the weights. Mattes still running on other threads are finished first. */
    @Override
    public void close() {
        execution.close();
    }
}
