package org.jmatte.kernels;

import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * A photo and its trimap as the six planes that PAM reads: normalised red, green and blue, and whether the trimap says
 * background (0), unknown, foreground (255); at the right and at the bottom continued by reflection that does not repeat
 * the edge.
 *
 * <p>{@code out} is [H, W, at least 6] fp32, fp16 or bf16 with H and W below twice those of the photo; channels from the
 * seventh on become zeros. Kernels: {@code kernels/image_planes.cu}.
 */
public final class ImagePlanes {
    private static final String OPERATOR = "image_planes";

    public static final int PLANES = 6;

    private static final int THREADS = 256;
    /** Rows are the second axis of the grid. */
    private static final int MOST_ROWS = 65535;

    /** A multiply-add for each colour. */
    private static final int FLOPS = 6;

    private ImagePlanes() {}

    /** The whole map. */
    public static void run(Device device, FeatureMap out, PhotoPlanes photo, Stream stream) {
        rows(device, out, photo, 0, Arguments.notNull(OPERATOR, "out", out).height(), stream);
    }

    /** Rows {@code from} to {@code to - 1}, at most 65535. */
    public static void rows(Device device, FeatureMap out, PhotoPlanes photo, int from, int to, Stream stream) {
        Call call = new Call(out, photo, from, to);
        call.check(device);
        device.launch(call.launch(), stream);
    }

    record Call(FeatureMap out, PhotoPlanes photo, int from, int to) {
        void check(Device device) {
            Arguments.notNull(OPERATOR, "out", out);
            Arguments.supported(OPERATOR, "out", out.rows(), device);
            Arguments.notNull(OPERATOR, "photo", photo);
            Arguments.range(OPERATOR, "H", out.height(), 0, Math.max(0, 2L * photo.height() - 1));
            Arguments.range(OPERATOR, "W", out.width(), 0, Math.max(0, 2L * photo.width() - 1));
            Arguments.range(OPERATOR, "channels", out.channels(), PLANES, Integer.MAX_VALUE);
            Arguments.range(OPERATOR, "first row", from, 0, out.height());
            Arguments.range(OPERATOR, "row after the last", to, from, Math.min(out.height(), from + (long) MOST_ROWS));
            out.expectRows(OPERATOR, "out", from, to);
        }

        Launch launch() {
            ParameterBlock parameters = photo.write(ParameterBlock.create())
                    .pointer(out.rows())
                    .integer32(out.width())
                    .integer32(out.ring())
                    .integer32(out.pitch())
                    .integer32(from)
                    .integer32(out.channels());
            long positions = (long) (to - from) * out.width();
            long pixelBytes = 3L * photo.rgb().type().bytes() + 1;
            return new Launch(
                    OPERATOR,
                    OPERATOR + "_" + out.type().suffix(),
                    ceilDiv(out.width(), THREADS),
                    to - from,
                    1,
                    parameters,
                    FLOPS * positions,
                    positions * ((long) out.channels() * out.type().bytes() + pixelBytes));
        }
    }
}
