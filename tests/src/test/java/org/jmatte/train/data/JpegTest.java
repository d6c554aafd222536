package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;

class JpegTest {
    private static final int SIDE = 64;

    /** Grey noise, so that neither the subsampling of chroma nor its table, which differ, play a part. */
    private static float[] picture() {
        float[] image = new float[3 * SIDE * SIDE];
        for (int i = 0; i < image.length; i++) {
            int at = i % (SIDE * SIDE);
            image[i] = Math.round(255 * Palette.clamp(0.5f + 0.4f * Noise.fractal(at % SIDE / 9f, at / SIDE / 9f, 4)))
                    / 255f;
        }
        return image;
    }

    @Test
    void theLossIsThatOfARealCoder() throws Exception {
        float[] image = picture();
        // quality 0.5 in the terms of ImageIO uses the tables of Annex K as they are
        BufferedImage decoded = throughJpeg(image, 0.5f);
        float[] loss = Jpeg.loss(image, SIDE, 1);
        double ours = 0;
        double difference = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            float theirs = (decoded.getRGB(i % SIDE, i / SIDE) & 255) / 255f - image[i];
            ours += Math.abs(loss[i]);
            difference += Math.abs(loss[i] - theirs);
        }
        assertTrue(ours / (SIDE * SIDE) > 0.01, "mean loss " + ours / (SIDE * SIDE));
        assertTrue(difference < 0.15 * ours, "differs by " + difference / ours + " of the loss");
    }

    @Test
    void theFinestStepsLoseLittleAndRestsOfBlocksNothing() {
        float[] image = picture();
        float[] loss = Jpeg.loss(image, SIDE, 0);
        for (float value : loss) {
            assertEquals(0, value, 0.02);
        }
        float[] odd = Jpeg.loss(new float[3 * 7 * 7], 7, 1);
        for (float value : odd) {
            assertEquals(0, value);
        }
    }

    private static BufferedImage throughJpeg(float[] image, float quality) throws Exception {
        BufferedImage picture = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < SIDE * SIDE; i++) {
            picture.getRaster().setSample(i % SIDE, i / SIDE, 0, Math.round(255 * image[i]));
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        param.setCompressionQuality(quality);
        writer.setOutput(ImageIO.createImageOutputStream(bytes));
        writer.write(null, new IIOImage(picture, null, null), param);
        writer.dispose();
        BufferedImage decoded = ImageIO.read(new ByteArrayInputStream(bytes.toByteArray()));
        BufferedImage copy = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < SIDE * SIDE; i++) {
            int value = decoded.getRaster().getSample(i % SIDE, i / SIDE, 0);
            copy.setRGB(i % SIDE, i / SIDE, value);
        }
        return copy;
    }
}
