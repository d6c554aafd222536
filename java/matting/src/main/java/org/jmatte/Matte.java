package org.jmatte;

import org.jmatte.image.Alpha;
import org.jmatte.network.PamPath;

/**
 * A finished matte and how it came about.
 *
 * @param alpha one value per pixel of the photo
 * @param routing the routers' decisions; {@link Routing#NONE} of a network without tokens
 * @param closest how far the routers were from deciding otherwise: the least {@link Routing#closest}, infinite where
 *     they decided nothing
 * @param path which segments were kept, and what that costs; null where the network has one path only, or the trimap
 *     knew every pixel
 * @param encodeSeconds from pixels to features
 * @param decodeSeconds from features to alpha
 * @param peakBytes most bytes in use at once: weights and arena
 * @param plannedBytes what the plan said that would be
 */
public record Matte(
        Alpha alpha,
        Routing routing,
        double closest,
        PamPath path,
        double encodeSeconds,
        double decodeSeconds,
        long peakBytes,
        long plannedBytes) {}
