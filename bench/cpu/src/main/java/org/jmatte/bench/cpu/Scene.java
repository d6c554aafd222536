package org.jmatte.bench.cpu;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/** A photo of noise with a trimap of three vertical stripes: what is computed does not depend on the picture. */
public record Scene(Photo photo, Trimap trimap) {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");
    private static final int SEED = 7;

    /** @param size height and width, {@code 1024x2048} */
    public static Scene of(String size) {
        Matcher sides = SIZE.matcher(size);
        if (!sides.matches()) {
            throw new IllegalArgumentException("size: expected HEIGHTxWIDTH such as 1024x2048, got " + size);
        }
        int height = Integer.parseInt(sides.group(1));
        int width = Integer.parseInt(sides.group(2));
        byte[] noise = new byte[3 * height * width];
        new SplittableRandom(SEED).nextBytes(noise);
        ByteBuffer pixels = ByteBuffer.allocateDirect(noise.length).put(noise).flip();
        ByteBuffer known = ByteBuffer.allocateDirect(height * width);
        for (int i = 0; i < height * width; i++) {
            known.put(i, (byte) (i % width * 3 / width * 255 / 2));
        }
        return new Scene(
                Photo.wrap(pixels, height, width, 8, 3L * width), Trimap.wrap(known, height, width, Trimap.Values.RAW));
    }

    /** The photo in 0..1, [1, 3, H, W]. */
    Tensor image() {
        return tensor(photo.pixels(), 3);
    }

    /** The trimap in 0..1, [1, 1, H, W]. */
    Tensor known() {
        return tensor(trimap.bytes(), 1);
    }

    /** Normalised photo and trimap, [1, 4, H, W]. */
    public Tensor planes(float[] mean, float[] deviation) {
        Tensor normalised = image().sub(Tensor.create(mean, 1, 3, 1, 1)).div(Tensor.create(deviation, 1, 3, 1, 1));
        return torch.cat(new TensorVector(normalised, known()), 1);
    }

    private Tensor tensor(ByteBuffer values, int channels) {
        byte[] bytes = new byte[values.capacity()];
        values.duplicate().clear().get(bytes);
        return Tensor.create(bytes, 1, photo.height(), photo.width(), channels)
                .to(torch.ScalarType.Byte)
                .to(torch.ScalarType.Float)
                .div(new Scalar(255.0))
                .permute(0, 3, 1, 2)
                .contiguous();
    }
}
