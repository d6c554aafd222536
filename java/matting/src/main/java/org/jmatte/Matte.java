package org.jmatte;

import org.jmatte.image.Alpha;

/**
 * A finished matte and how it came about.
 *
 * @param alpha one value per pixel of the photo
 * @param routing the routers' decisions
 * @param encodeSeconds from pixels to features
 * @param decodeSeconds from features to alpha
 * @param peakBytes most bytes in use at once: weights and arena
 * @param plannedBytes what the plan said that would be
 */
public record Matte(
        Alpha alpha, Routing routing, double encodeSeconds, double decodeSeconds, long peakBytes, long plannedBytes) {}
