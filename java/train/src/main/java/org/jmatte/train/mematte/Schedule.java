package org.jmatte.train.mematte;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jmatte.network.VitArchitecture;

/**
 * Learning rates and weight decay. Over the run the rate is {@code peak}, then a tenth, then a twentieth of it, after a
 * linear warm-up; over the network it falls by 0.65 with every block from the decoder to the patches.
 *
 * @param peak the decoder's learning rate
 * @param iterations of the run
 * @param firstStep part of the run after which the rate is a tenth
 */
record Schedule(double peak, long iterations, double firstStep) {
    private static final double SECOND_STEP = 26 / 30.0;
    private static final long WARM_UP = 250;
    private static final long WARM_UPS = 20; // that fit into a run which is too short for 250 iterations
    private static final double START = 0.001;
    private static final double LAYER_DECAY = 0.65;
    private static final double WEIGHT_DECAY = 0.1;
    private static final int SMALL = 384; // C of the S networks
    private static final Pattern BLOCK = Pattern.compile("backbone\\.blocks\\.(\\d+)\\..*");
    private static final Pattern NORM =
            Pattern.compile(".*(\\.norm\\d|\\.bn|in_conv\\.0|matting_convs\\.1)\\.(weight|bias)");
    private static final String POSITIONS = "backbone.pos_embed";

    /** The authors' steps: at 6 of 30 epochs for the S network, at 30 of 60 for the larger. */
    static Schedule of(VitArchitecture architecture, double peak, long iterations) {
        return new Schedule(peak, iterations, architecture.width() > SMALL ? 30 / 60.0 : 6 / 30.0);
    }

    /** The decoder's learning rate at an iteration, counted from 0. */
    double rate(long iteration) {
        double done = (double) iteration / iterations;
        double step = done < firstStep ? 1 : done < SECOND_STEP ? 0.1 : 0.05;
        double warmth = (double) iteration / Math.max(1, Math.min(WARM_UP, iterations / WARM_UPS));
        return peak * step * (warmth < 1 ? START + (1 - START) * warmth : 1);
    }

    /** The factor of a parameter's learning rate: routers and decoder 1, block i 0.65^(12 - i), the embedding 0.65^13. */
    static double layerRate(String name) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches()) {
            return Math.pow(LAYER_DECAY, VitArchitecture.DEPTH - Integer.parseInt(block.group(1)));
        }
        boolean embedding = name.equals(POSITIONS) || name.startsWith("backbone.patch_embed.");
        return embedding ? Math.pow(LAYER_DECAY, VitArchitecture.DEPTH + 1) : 1;
    }

    /** 0.1, but for the position embedding, the norms and their statistics. */
    static double weightDecay(String name) {
        return name.equals(POSITIONS) || NORM.matcher(name).matches() || name.contains(".running_") ? 0 : WEIGHT_DECAY;
    }
}
