package org.jmatte.train.data;

/**
 * One composed training image. Planar RGB floats in 0..1, {@code [3][height][width]}; alpha and trimap {@code
 * [height][width]}. {@code image = alpha * foreground + (1 - alpha) * background} exactly, as floats.
 *
 * @param name tells samples apart, and says what was painted
 * @param height in pixels
 * @param width in pixels
 * @param image the composite
 * @param foreground colours of the foreground, continued where alpha is 0
 * @param background colours of the background, also behind the foreground
 * @param alpha opacity of the foreground, 0..1
 * @param trimap 0 known background, 1 known foreground, 0.5 unknown
 */
public record Sample(
        String name,
        int height,
        int width,
        float[] image,
        float[] foreground,
        float[] background,
        float[] alpha,
        float[] trimap) {

    /** The sample whose image follows from its layers. */
    static Sample composed(
            String name, int height, int width, float[] foreground, float[] background, float[] alpha, float[] trimap) {
        float[] image = composite(foreground, background, alpha);
        return new Sample(name, height, width, image, foreground, background, alpha, trimap);
    }

    /** A part of it. */
    Sample crop(int top, int left, int rows, int columns) {
        return new Sample(
                name,
                rows,
                columns,
                crop(image, top, left, rows, columns),
                crop(foreground, top, left, rows, columns),
                crop(background, top, left, rows, columns),
                crop(alpha, top, left, rows, columns),
                crop(trimap, top, left, rows, columns));
    }

    /** Of each plane. */
    private float[] crop(float[] planes, int top, int left, int rows, int columns) {
        float[] part = new float[planes.length / (height * width) * rows * columns];
        for (int start = top * width + left, to = 0; to < part.length; start += height * width) {
            for (int y = 0; y < rows; y++, to += columns) {
                System.arraycopy(planes, start + y * width, part, to, columns);
            }
        }
        return part;
    }

    /** {@code alpha * foreground + (1 - alpha) * background}, planar. */
    static float[] composite(float[] foreground, float[] background, float[] alpha) {
        float[] image = new float[foreground.length];
        for (int start = 0; start < image.length; start += alpha.length) {
            for (int i = 0; i < alpha.length; i++) {
                float a = alpha[i];
                image[start + i] = a * foreground[start + i] + (1 - a) * background[start + i];
            }
        }
        return image;
    }
}
