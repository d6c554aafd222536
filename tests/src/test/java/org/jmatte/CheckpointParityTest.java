package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.weights.CheckpointWriter;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same weights give the same matte wherever they come from. */
class CheckpointParityTest {
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    @TempDir
    private Path directory;

    @Test
    void aFullSizePyTorchFileGivesTheSameBytesAsItsSeededSource() {
        Path file = directory.resolve("MEMatte_ViTS_DIM.pth");
        try (ModelSource source = ModelSource.open("seeded:mematte_s:3")) {
            CheckpointWriter.pytorch(source.checkpoint(), file, true);
        }
        assertSame("seeded:mematte_s:3", file);
    }

    @Test
    void aSafetensorsFileDoesToo() {
        Path file = directory.resolve("vitmatte.safetensors");
        try (ModelSource source = ModelSource.open("seeded:vitmatte_tiny")) {
            CheckpointWriter.safetensors(source.checkpoint(), file);
        }
        assertSame("seeded:vitmatte_tiny", file);
    }

    private static void assertSame(String seeded, Path file) {
        Photo photo = Scenes.photo(64, 64, 1);
        Trimap trimap = Scenes.disc(64, 64, 1);
        try (Matting expected = Matting.open(seeded);
                Matting actual = Matting.open(file.toString())) {
            assertEquals(expected.architecture(), actual.architecture());
            Matte matte = actual.matte(photo, trimap, EXACT);
            Matte reference = expected.matte(photo, trimap, EXACT);
            Alphas.assertSame(reference.alpha(), matte.alpha(), file.toString());
            assertEquals(reference.routing(), matte.routing());
            assertEquals(reference.peakBytes(), matte.peakBytes());
        }
    }
}
