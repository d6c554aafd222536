package org.jmatte;

import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.jmatte.image.Alpha;
import org.jmatte.network.PamPath;

/** What is asked of one matte. Immutable; start from {@link #defaults()}. */
public final class MatteRequest {
    private static final MatteRequest DEFAULTS = new MatteRequest(
            Alpha.Format.U8,
            true,
            false,
            List.of(),
            OptionalInt.empty(),
            null,
            (name, done, total) -> {},
            new Cancellation(),
            null,
            null);

    private final Alpha.Format format;
    private final boolean keepKnown;
    private final boolean decodeAll;
    private final List<BitSet> forcedTokens;
    private final OptionalInt gmacs;
    private final PamPath forcedPath;
    private final Progress progress;
    private final Cancellation cancellation;
    private final StageListener stages;
    private final RunListener runListener;

    private MatteRequest(
            Alpha.Format format,
            boolean keepKnown,
            boolean decodeAll,
            List<BitSet> forcedTokens,
            OptionalInt gmacs,
            PamPath forcedPath,
            Progress progress,
            Cancellation cancellation,
            StageListener stages,
            RunListener runListener) {
        this.format = Objects.requireNonNull(format, "format");
        this.keepKnown = keepKnown;
        this.decodeAll = decodeAll;
        this.forcedTokens = copies(forcedTokens);
        this.gmacs = gmacs;
        this.forcedPath = forcedPath;
        this.progress = Objects.requireNonNull(progress, "progress");
        this.cancellation = Objects.requireNonNull(cancellation, "cancellation");
        this.stages = stages;
        this.runListener = runListener;
    }

    /** A caller who changes a set later must not reach into a run. */
    private static List<BitSet> copies(List<BitSet> sets) {
        return sets.stream().map(set -> (BitSet) set.clone()).toList();
    }

    public static MatteRequest defaults() {
        return DEFAULTS;
    }

    /** How alpha is stored; 8 bits by default. */
    public MatteRequest withFormat(Alpha.Format value) {
        return new MatteRequest(
                value,
                keepKnown,
                decodeAll,
                forcedTokens,
                gmacs,
                forcedPath,
                progress,
                cancellation,
                stages,
                runListener);
    }

    /**
     * Whether pixels that the trimap knows (0 or 255) take its value, as they do by default. Otherwise the network's
     * own alpha is returned everywhere, and everything is decoded.
     */
    public MatteRequest withKeepKnown(boolean value) {
        return new MatteRequest(
                format, value, decodeAll, forcedTokens, gmacs, forcedPath, progress, cancellation, stages, runListener);
    }

    /** Whether areas that the trimap decides are computed all the same; for benchmarks. */
    public MatteRequest withDecodeAll(boolean value) {
        return new MatteRequest(
                format, keepKnown, value, forcedTokens, gmacs, forcedPath, progress, cancellation, stages, runListener);
    }

    /** Tokens that attend globally instead of the routers' choice, as in {@link Routing#kept()}; empty: the routers'. */
    public MatteRequest withForcedTokens(List<BitSet> value) {
        return new MatteRequest(
                format, keepKnown, decodeAll, value, gmacs, forcedPath, progress, cancellation, stages, runListener);
    }

    /**
     * The compute budget of this matte instead of {@link MattingOptions#gmacs}, in units of 10^9 multiply-adds per
     * 1024x1024 pixels; only for path-adaptive networks.
     */
    public MatteRequest withGmacs(int value) {
        return new MatteRequest(
                format,
                keepKnown,
                decodeAll,
                forcedTokens,
                OptionalInt.of(value),
                forcedPath,
                progress,
                cancellation,
                stages,
                runListener);
    }

    /** The path to follow instead of the network's own, within the compute budget; null: the network's. */
    public MatteRequest withForcedPath(PamPath value) {
        return new MatteRequest(
                format, keepKnown, decodeAll, forcedTokens, gmacs, value, progress, cancellation, stages, runListener);
    }

    public MatteRequest withProgress(Progress value) {
        return new MatteRequest(
                format,
                keepKnown,
                decodeAll,
                forcedTokens,
                gmacs,
                forcedPath,
                value,
                cancellation,
                stages,
                runListener);
    }

    public MatteRequest withCancellation(Cancellation value) {
        return new MatteRequest(
                format, keepKnown, decodeAll, forcedTokens, gmacs, forcedPath, progress, value, stages, runListener);
    }

    /** Receives intermediate results; none by default. */
    public MatteRequest withStages(StageListener value) {
        return new MatteRequest(
                format,
                keepKnown,
                decodeAll,
                forcedTokens,
                gmacs,
                forcedPath,
                progress,
                cancellation,
                value,
                runListener);
    }

    /** Hears what the run does and how long it takes; nobody by default. */
    public MatteRequest withRunListener(RunListener value) {
        return new MatteRequest(
                format, keepKnown, decodeAll, forcedTokens, gmacs, forcedPath, progress, cancellation, stages, value);
    }

    public Alpha.Format format() {
        return format;
    }

    public boolean keepKnown() {
        return keepKnown;
    }

    public boolean decodeAll() {
        return decodeAll || !keepKnown;
    }

    public List<BitSet> forcedTokens() {
        return copies(forcedTokens);
    }

    public OptionalInt gmacs() {
        return gmacs;
    }

    /** The path to follow, or null. */
    public PamPath forcedPath() {
        return forcedPath;
    }

    public Progress progress() {
        return progress;
    }

    public Cancellation cancellation() {
        return cancellation;
    }

    /** The listener, or null. */
    public StageListener stages() {
        return stages;
    }

    /** The listener, or null. */
    public RunListener runListener() {
        return runListener;
    }
}
