package org.jmatte;

import org.jmatte.cpu.CpuForeground;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;

/**
 * The colours that a matted object has by itself. Along its edge a photo shows {@code I = alpha * F + (1 - alpha) * B}:
 * laid over something new, its pixels would bring the old background B with them, while F does not.
 *
 * <p>F is estimated with B by fast multi-level foreground estimation: from one pixel to full size, level by level, a few
 * Jacobi steps towards the minimum, over all pixels i and their neighbours j, of {@code |alpha_i F_i + (1 - alpha_i) B_i
 * - I_i|^2 + (1e-5 + |alpha_i - alpha_j|) (|F_i - F_j|^2 + |B_i - B_j|^2)}. Values count as stored; no gamma is undone.
 * Where alpha is 0, F is a continuation of the nearest known colours.
 *
 * @see <a href="https://arxiv.org/abs/2006.14970">Germer, Uelwer, Conrad, Harmeling: Fast Multi-Level Foreground
 *     Estimation, 2020</a>
 */
public final class Foreground {
    private Foreground() {}

    /** {@link #estimate(Photo, Alpha, int)} with one thread per processor. */
    public static Photo estimate(Photo photo, Alpha alpha) {
        return estimate(photo, alpha, 0);
    }

    /**
     * Estimates the foreground's colours.
     *
     * @param photo HxW
     * @param alpha HxW, of any format
     * @param threads worker threads; 0 means one per processor. The result does not depend on it
     * @return HxW, with as many bits as the photo
     * @throws org.jmatte.image.ImageException if the sizes differ
     * @throws OutOfMemoryError if the system does not give {@link #workingBytes} of native memory
     */
    public static Photo estimate(Photo photo, Alpha alpha, int threads) {
        return CpuForeground.estimate(photo, alpha, threads);
    }

    /**
     * The memory that an estimation takes and gives back, besides photo, alpha and result: some 7.5 bytes per pixel, and
     * half a megabyte per thread.
     *
     * @param threads as for {@link #estimate}
     */
    public static long workingBytes(int height, int width, int threads) {
        return CpuForeground.workingBytes(height, width, threads);
    }
}
