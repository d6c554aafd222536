package org.jmatte.kernels;

/**
 * A photo and its trimap as four planes that kernels make where they read them: {@code sample * scale + shift} of red,
 * green and blue, and the trimap's byte / 255. Outside of the photo all are zero.
 *
 * @param rgb [height, samples of a row] u8 or u16, interleaved; rows may be longer than the photo is wide
 * @param trimap [height, width] u8
 * @param snap whether the trimap is 0, 1/2 and 1 instead: 1/2 for every byte but 0 and 255
 * @param scale of red, green and blue
 * @param shift of red, green and blue
 */
public record PhotoPlanes(Tensor rgb, Tensor trimap, boolean snap, float[] scale, float[] shift) {
    public static final int PLANES = 4;

    private static final int COLOURS = 3;

    public PhotoPlanes {
        Arguments.type("photo", "rgb", rgb, ElementType.U8, ElementType.U16);
        Arguments.tensor("photo", "trimap", trimap, ElementType.U8, "[height, width]", Arguments.ANY, Arguments.ANY);
        Arguments.shape("photo", "rgb", rgb, "[height, samples]", trimap.size(0), Arguments.ANY);
        Arguments.range("photo", "height", trimap.size(0), 0, Integer.MAX_VALUE / 4);
        Arguments.range("photo", "width", trimap.size(1), 0, Integer.MAX_VALUE / 4);
        Arguments.range("photo", "samples of a row", rgb.size(1), COLOURS * trimap.size(1), Long.MAX_VALUE);
        scale = three("scale", scale);
        shift = three("shift", shift);
    }

    private static float[] three(String argument, float[] values) {
        Arguments.notNull("photo", argument, values);
        Arguments.check(values.length == COLOURS, "photo", argument, COLOURS + " numbers", values.length);
        return values.clone();
    }

    @Override
    public float[] scale() {
        return scale.clone();
    }

    @Override
    public float[] shift() {
        return shift.clone();
    }

    public int height() {
        return (int) trimap.size(0);
    }

    public int width() {
        return (int) trimap.size(1);
    }

    long bytes() {
        return (long) COLOURS * height() * width() * rgb.type().bytes() + trimap.bytes();
    }

    /** The fields of the kernels' struct Photo. */
    ParameterBlock write(ParameterBlock parameters) {
        parameters
                .pointer(rgb)
                .pointer(trimap)
                .integer64(rgb.size(1) * rgb.type().bytes())
                .integer32(height())
                .integer32(width())
                .integer32(8 * rgb.type().bytes())
                .integer32(snap ? 1 : 0);
        for (float value : scale) {
            parameters.float32(value);
        }
        for (float value : shift) {
            parameters.float32(value);
        }
        return parameters;
    }
}
