package org.jmatte.cli;

import org.jmatte.InvalidInputException;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.weights.ModelSource;

/**
 * What a memory budget holds.
 *
 * @param bytes the budget
 * @param maxTokens the highest token cap at the size asked for; 0 if not even one token fits
 * @param height of the largest photo of that shape, with the token cap as it is; 0 if none fits
 * @param width of that photo
 */
record Fitting(long bytes, int maxTokens, int height, int width) {
    /** Sides go in steps of the padding. */
    private static final int STEP = 32;

    private static final int PATCH = 16;

    /** @param options with the budget */
    static Fitting search(ModelSource source, Size size, MattingOptions options) {
        int tokens = padded(size.height()) / PATCH * (padded(size.width()) / PATCH);
        Plan plan = plan(source, size, options.withMaxTokens(tokens));
        int fitting = 0; // steps of the longer side
        int tooMany = 1;
        while (fits(source, scaled(size, tooMany), options)) {
            fitting = tooMany;
            tooMany *= 2;
        }
        while (tooMany - fitting > 1) {
            int middle = (fitting + tooMany) >>> 1;
            if (fits(source, scaled(size, middle), options)) {
                fitting = middle;
            } else {
                tooMany = middle;
            }
        }
        Size largest = scaled(size, fitting);
        return new Fitting(
                options.memoryBudget(),
                plan == null ? 0 : plan.maxTokens(),
                fitting == 0 ? 0 : largest.height(),
                fitting == 0 ? 0 : largest.width());
    }

    /** The most that padding may make of a side. */
    private static int padded(int side) {
        return (side / STEP + 1) * STEP;
    }

    private static Size scaled(Size size, int steps) {
        double scale = (double) steps * STEP / Math.max(size.height(), size.width());
        return new Size((int) Math.max(1, size.height() * scale), (int) Math.max(1, size.width() * scale));
    }

    private static boolean fits(ModelSource source, Size size, MattingOptions options) {
        Plan plan = plan(source, size, options);
        return plan != null && (plan.maxTokens() == 0 || plan.maxTokens() == options.maxTokens());
    }

    /** The plan, or null if there is none: too little memory, or too large a photo. */
    private static Plan plan(ModelSource source, Size size, MattingOptions options) {
        try {
            return Matting.plan(source, size.height(), size.width(), options);
        } catch (InvalidInputException e) {
            return null;
        }
    }

    String inWords(boolean routed) {
        String photo = height == 0 ? "no photo of this shape" : "photos of this shape up to " + height + "x" + width;
        return photo + (routed ? "; at this size at most " + maxTokens + " tokens" : "");
    }
}
