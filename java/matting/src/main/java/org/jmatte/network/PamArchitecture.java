package org.jmatte.network;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jmatte.InvalidInputException;

/**
 * Path-Adaptive Matting (AAAI 2025, arXiv 2503.03228): a convolutional encoder and decoder whose segments, of two
 * large-kernel depthwise modules each, are kept or bypassed per image, within a compute budget.
 *
 * <p>Costs count the multiply-adds (MACs) of convolutions and linear maps at 1024x1024 pixels.
 */
public final class PamArchitecture implements Architecture {
    static final String NAME = "pam";
    /** The one network of this kind. */
    public static final PamArchitecture PAM = new PamArchitecture();

    /** Multiply-adds in one GMAC. */
    public static final long GIGA = 1_000_000_000;
    /** Costs are stated for an image of this height and width. */
    public static final int REFERENCE_SIDE = 1024;
    /** Input planes: red, green, blue, and background, unknown, foreground of the trimap. */
    public static final int PLANES = 6;
    /** Channels of the encoder at full resolution. */
    public static final int FULL = 24;
    /** Channels of the encoder at half resolution. */
    public static final int HALF = 48;
    /** Channels of the decoder at half resolution. */
    public static final int REFINED_HALF = 32;
    /** Channels of the decoder's first convolution at full resolution. */
    public static final int REFINED_FIRST = 24;
    /** Channels of its second. */
    public static final int REFINED_SECOND = 16;
    /** Depthwise modules in a segment. */
    public static final int MODULES = 2;
    /** Side of the depthwise kernel. */
    public static final int LARGE_KERNEL = 7;
    /** Pyramid pooling layers. */
    public static final int PYRAMIDS = 3;
    /** Length of a budget's embedding. */
    public static final int COST_FEATURES = 32;
    /** Slope of the activation for negative values. */
    public static final float LEAK = 0.1f;

    private static final int EXPANSION = 2;
    private static final int[] PYRAMID_GRIDS = {1, 2, 3, 6};

    /**
     * Segments at one resolution, entered through a convolution and a norm.
     *
     * @param name of its parameters
     * @param scale it works at 1 / scale of the resolution
     * @param inputs channels that it is entered with; in the decoder, of the coarser stage's result and the skipped map
     * @param channels of its features
     * @param kernel side of the entry's kernel
     * @param firstSegment the number of its first segment in a path
     * @param segments how many it has
     */
    public record Stage(String name, int scale, int inputs, int channels, int kernel, int firstSegment, int segments) {
        /** The prefix of a segment's parameters. */
        public String segment(int segment) {
            return name + ".segments." + (segment - firstSegment);
        }

        long area() {
            return square(REFERENCE_SIDE / scale);
        }
    }

    private static final List<Stage> ENCODER = List.of(
            new Stage("encoder.quarter", 4, HALF, 64, 3, 0, 3),
            new Stage("encoder.eighth", 8, 64, 128, 2, 3, 3),
            new Stage("encoder.sixteenth", 16, 128, 256, 2, 6, 4),
            new Stage("encoder.thirtysecond", 32, 256, 320, 2, 10, 1));
    private static final List<Stage> DECODER = List.of(
            new Stage("decoder.sixteenth", 16, 320 + 256, 224, 1, 11, 1),
            new Stage("decoder.eighth", 8, 224 + 128, 128, 1, 12, 1),
            new Stage("decoder.quarter", 4, 128 + 64, 64, 1, 13, 1));
    /** Segments, the length of a path. */
    public static final int SEGMENTS = 14;

    private static final Costs COSTS = new Costs();

    private PamArchitecture() {}

    /** From fine to coarse. */
    public static List<Stage> encoder() {
        return ENCODER;
    }

    /** From coarse to fine; each takes the encoder's map of its own resolution besides. */
    public static List<Stage> decoder() {
        return DECODER;
    }

    /** Sides of the grids that a pyramid layer pools to. */
    public static int[] pyramidGrids() {
        return PYRAMID_GRIDS.clone();
    }

    /** Multiply-adds of a path at 1024x1024 pixels. */
    public static long macs(PamPath path) {
        long macs = COSTS.fixed;
        for (int segment = 0; segment < SEGMENTS; segment++) {
            macs += path.keeps(segment) ? COSTS.keep[segment] : COSTS.bypass[segment];
        }
        return macs;
    }

    /** What keeping a segment costs more than bypassing it. */
    public static long extra(int segment) {
        return COSTS.keep[segment] - COSTS.bypass[segment];
    }

    /** The least budget in GMACs: what the smallest sub-network costs, rounded up. */
    public static int leastGmacs() {
        return PamPath.BYPASS_ALL.leastGmacs();
    }

    /** The budget in GMACs beyond which more changes nothing. */
    public static int largestGmacs() {
        return PamPath.KEEP_ALL.leastGmacs();
    }

    /**
     * The row of the cost embedding for a budget.
     *
     * @throws InvalidInputException if the budget is below {@link #leastGmacs}
     */
    public static int embeddingRow(int gmacs) {
        if (gmacs < leastGmacs()) {
            throw new InvalidInputException("gmacs: expected at least " + leastGmacs()
                    + ", what the smallest sub-network takes per 1024x1024 pixels, got " + gmacs);
        }
        return Math.min(gmacs, largestGmacs()) - leastGmacs();
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean routed() {
        return false;
    }

    @Override
    public Map<String, long[]> parameterShapes() {
        return Collections.unmodifiableMap(new Parameters().shapes());
    }

    @Override
    public String toString() {
        return NAME;
    }

    private static long square(long side) {
        return side * side;
    }

    private static int semantics(int channels) {
        return Math.max(16, channels / 8);
    }

    /** What every path runs, and what either choice at each segment adds. */
    private static final class Costs {
        final long fixed;
        final long[] bypass = new long[SEGMENTS];
        final long[] keep = new long[SEGMENTS];

        Costs() {
            long full = square(REFERENCE_SIDE);
            long half = full / 4;
            long macs = 9 * full * PLANES * FULL + 9 * half * (FULL * HALF + HALF * HALF);
            int coarsest = ENCODER.get(ENCODER.size() - 1).channels;
            int branch = coarsest / PYRAMID_GRIDS.length;
            for (int pyramid = 0; pyramid < PYRAMIDS; pyramid++) {
                macs += square(REFERENCE_SIDE / 32) * 2 * coarsest * coarsest;
                for (int grid : PYRAMID_GRIDS) {
                    macs += square(grid) * coarsest * branch;
                }
            }
            List<Stage> stages = new ArrayList<>(ENCODER);
            stages.addAll(DECODER);
            for (Stage stage : stages) {
                long c = stage.channels;
                macs += stage.area() * square(stage.kernel) * stage.inputs * c;
                for (int s = stage.firstSegment; s < stage.firstSegment + stage.segments; s++) {
                    long n = semantics(stage.channels);
                    macs += (c + COST_FEATURES) * n + n * c + n * n + n * 2;
                    bypass[s] = stage.area() * 2 * c * c;
                    keep[s] = stage.area() * MODULES * (square(LARGE_KERNEL) * c + 2 * EXPANSION * c * c);
                }
            }
            int quarter = DECODER.get(DECODER.size() - 1).channels;
            macs += 9 * half * ((quarter + HALF) * REFINED_HALF + REFINED_HALF * REFINED_HALF);
            macs += 9
                    * full
                    * ((REFINED_HALF + FULL + PLANES) * REFINED_FIRST
                            + REFINED_FIRST * REFINED_SECOND
                            + REFINED_SECOND);
            fixed = macs;
        }
    }

    /** The shapes, layer by layer. */
    private static final class Parameters extends ParameterShapes {
        Parameters() {
            conv("stem_full", PLANES, FULL, 3);
            conv("stem_half.first", FULL, HALF, 3);
            conv("stem_half.second", HALF, HALF, 3);
            ENCODER.forEach(this::stage);
            int coarsest = ENCODER.get(ENCODER.size() - 1).channels;
            for (int pyramid = 0; pyramid < PYRAMIDS; pyramid++) {
                for (int i = 0; i < PYRAMID_GRIDS.length; i++) {
                    conv("pyramid." + pyramid + ".branches." + i, coarsest, coarsest / PYRAMID_GRIDS.length, 1);
                }
                conv("pyramid." + pyramid + ".fuse", 2 * coarsest, coarsest, 1);
            }
            DECODER.forEach(this::stage);
            int quarter = DECODER.get(DECODER.size() - 1).channels;
            conv("refine_half.first", quarter + HALF, REFINED_HALF, 3);
            conv("refine_half.second", REFINED_HALF, REFINED_HALF, 3);
            conv("refine_full.first", REFINED_HALF + FULL + PLANES, REFINED_FIRST, 3);
            conv("refine_full.second", REFINED_FIRST, REFINED_SECOND, 3);
            conv("alpha", REFINED_SECOND, 1, 3);
            put("cost_embedding.weight", largestGmacs() - leastGmacs() + 1, COST_FEATURES);
        }

        private void stage(Stage stage) {
            int c = stage.channels;
            conv(stage.name + ".entry", stage.inputs, c, stage.kernel);
            norm(stage.name + ".norm", c);
            for (int s = stage.firstSegment; s < stage.firstSegment + stage.segments; s++) {
                String segment = stage.segment(s);
                int n = semantics(c);
                linear(segment + ".select.reduce", c + COST_FEATURES, n);
                linear(segment + ".select.attend", n, c);
                linear(segment + ".select.hidden", n, n);
                linear(segment + ".select.decide", n, 2);
                for (int module = 0; module < MODULES; module++) {
                    String name = segment + ".layers." + module;
                    conv(name + ".depthwise", 1, c, LARGE_KERNEL);
                    norm(name + ".norm", c);
                    conv(name + ".expand", c, EXPANSION * c, 1);
                    conv(name + ".project", EXPANSION * c, c, 1);
                }
                conv(segment + ".connect.first", c, c, 1);
                conv(segment + ".connect.second", c, c, 1);
            }
        }
    }
}
