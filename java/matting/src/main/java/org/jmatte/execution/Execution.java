package org.jmatte.execution;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.Plan;
import org.jmatte.Roofline;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.Architecture;

/** A model on some backend: plans runs within the memory budget, and computes them. Thread-safe. */
public abstract class Execution implements AutoCloseable {
    /** A photo's interleaved bytes must fit Java's buffers. */
    private static final int MOST_PIXELS = Integer.MAX_VALUE / 3;

    private static final int LONGEST_SIDE = 10_000_000;

    /** Read by runs, written by close: a model is not freed under a run. */
    private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

    private boolean closed;

    public abstract Architecture architecture();

    /** What executes it: never {@link Backend#AUTO}. */
    public abstract Backend backend();

    /** What the machine reaches in the operands' type; empty where times mean nothing. */
    protected abstract Optional<Roofline> measureRoofline();

    /** {@link #plan} of a size that is sound. */
    protected abstract Plan planned(int height, int width);

    /** {@link #matte} of images that are sound; alpha is prepared with {@link #prepared}. */
    protected abstract Matte run(Photo photo, Trimap trimap, MatteRequest request);

    /** Frees the weights. */
    protected abstract void release();

    /** What a run of the given size needs, within the memory budget. */
    public final Plan plan(int height, int width) {
        return within(() -> {
            checkSize(height, width);
            return planned(height, width);
        });
    }

    /** Measures what the machine reaches; see {@link org.jmatte.Matting#roofline}. */
    public final Optional<Roofline> roofline() {
        return within(this::measureRoofline);
    }

    /** Computes a matte; see {@link org.jmatte.Matting#matte}. */
    public final Matte matte(Photo photo, Trimap trimap, MatteRequest request) {
        trimap.requireSize(photo);
        return within(() -> {
            request.cancellation().check();
            checkSize(photo.height(), photo.width());
            return run(photo, trimap, request);
        });
    }

    /** Whether the trimap leaves nothing to compute. */
    protected static boolean isKnown(Trimap trimap, MatteRequest request) {
        return !request.decodeAll() && trimap.unknown() == 0;
    }

    /** Alpha as the decoder finds it: the trimap's values where they are known and may stay, 0 elsewhere. */
    protected static Alpha prepared(Trimap trimap, MatteRequest request) {
        Alpha alpha = Alpha.allocate(trimap.height(), trimap.width(), request.format());
        if (request.decodeAll()) {
            return alpha;
        }
        ByteBuffer from = trimap.bytes();
        ByteBuffer to = alpha.values();
        for (int i = 0; i < from.capacity(); i++) {
            if (from.get(i) == (byte) 255) {
                switch (alpha.format()) {
                    case U8 -> to.put(i, (byte) 255);
                    case U16 -> to.putShort(2 * i, (short) 65535);
                    case F32 -> to.putFloat(4 * i, 1);
                }
            }
        }
        return alpha;
    }

    /** Bytes of photo, trimap and alpha. */
    public static long imageBytes(int height, int width, int bits, Alpha.Format format) {
        return (long) height * width * (3 * bits / 8 + 1 + format.bytes());
    }

    private static void checkSize(int height, int width) {
        if (height < 1
                || width < 1
                || height > LONGEST_SIDE
                || width > LONGEST_SIDE
                || (long) height * width > MOST_PIXELS) {
            throw new InvalidInputException("size: expected at least 1x1 pixels, sides of at most " + LONGEST_SIDE
                    + " and at most " + MOST_PIXELS + " pixels, got " + height + "x" + width);
        }
    }

    private <T> T within(Supplier<T> work) {
        use.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this model is closed; open it again");
            }
            return work.get();
        } finally {
            use.readLock().unlock();
        }
    }

    /** @throws IllegalStateException if a listener calls it from within a run, which it would have to wait for */
    @Override
    public final void close() {
        if (use.getReadHoldCount() > 0) {
            throw new IllegalStateException("this model cannot be closed from within its own run; close it after");
        }
        use.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                release();
            }
        } finally {
            use.writeLock().unlock();
        }
    }
}
