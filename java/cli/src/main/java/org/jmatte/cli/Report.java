package org.jmatte.cli;

import java.util.BitSet;
import java.util.List;
import org.jmatte.Matte;

/**
 * What {@code --report} says of one image.
 *
 * @param image the photo's file
 * @param out the alpha's file
 * @param backend what executed the network
 * @param model name of the architecture
 * @param dtype type of the operands
 * @param height of the photo
 * @param width of the photo
 * @param seconds where time went
 * @param tokens how many there were, and how many each router kept
 * @param path of a PAM network, a 1 for each segment that was kept and a 0 for each bypassed; null for others
 * @param gmacs multiply-adds of that path per 1024x1024 pixels, in units of 10^9; null likewise
 * @param peakBytes most bytes in use at once: weights and arena
 * @param plannedBytes what the plan said that would be
 */
record Report(
        String image,
        String out,
        String backend,
        String model,
        String dtype,
        int height,
        int width,
        Seconds seconds,
        Tokens tokens,
        String path,
        Double gmacs,
        long peakBytes,
        long plannedBytes) {

    /**
     * @param load opening the model; in a batch, the first one that is done carries it
     * @param read decoding photo and trimap
     * @param encode from pixels to features
     * @param decode from features to alpha
     * @param foreground estimating the foreground's colours, 0 if they are not asked for
     * @param write alpha and other pictures
     * @param total of this image's work, load included
     */
    record Seconds(
            double load, double read, double encode, double decode, double foreground, double write, double total) {}

    /**
     * @param kept per router, how many tokens attended globally
     * @param closestMargin how far the routers were from deciding otherwise; null where they decided nothing
     */
    record Tokens(int total, List<Integer> kept, Double closestMargin) {}

    static Report of(
            Job.Result result, String backend, String model, String dtype, double loadSeconds, double writeSeconds) {
        Matte matte = result.matte();
        Seconds seconds = new Seconds(
                loadSeconds,
                result.readSeconds(),
                matte.encodeSeconds(),
                matte.decodeSeconds(),
                result.foregroundSeconds(),
                writeSeconds,
                loadSeconds + result.readSeconds() + result.seconds() + result.foregroundSeconds() + writeSeconds);
        List<Integer> kept =
                matte.routing().kept().stream().map(BitSet::cardinality).toList();
        return new Report(
                result.job().image().toString(),
                result.job().out().toString(),
                backend,
                model,
                dtype,
                matte.alpha().height(),
                matte.alpha().width(),
                seconds,
                new Tokens(matte.routing().tokens(), kept, Double.isInfinite(matte.closest()) ? null : matte.closest()),
                matte.path() == null ? null : matte.path().toString(),
                matte.path() == null ? null : matte.path().gmacs(),
                matte.peakBytes(),
                matte.plannedBytes());
    }
}
