package org.jmatte.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jmatte.InvalidInputException;
import org.jmatte.image.PngWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratedSamplesTest {
    private static final int SIDE = 48;
    private static final int COUNT = 400;

    @TempDir
    Path folder;

    @Test
    void everySampleIsConsistent() {
        SampleSource source = new GeneratedSamples(1, SIDE, List.of());
        LongStream.range(0, 150).forEach(i -> Samples.requireConsistent(source.sample(i), SIDE));
        Samples.requireConsistent(new GeneratedSamples(2, 33, List.of()).sample(Long.MIN_VALUE), 33);
    }

    @Test
    void anIndexGivesTheSameSampleInAnyOrderOnAnyThread() {
        SampleSource source = new GeneratedSamples(3, SIDE, List.of());
        List<Sample> inOrder = LongStream.range(0, 40).mapToObj(source::sample).toList();
        SampleSource other = new GeneratedSamples(3, SIDE, List.of());
        List<Sample> backwards = IntStream.range(0, 40)
                .parallel()
                .mapToObj(i -> other.sample(39 - i))
                .toList();
        for (int i = 0; i < 40; i++) {
            Samples.requireSame(inOrder.get(i), backwards.get(39 - i));
        }
    }

    @Test
    void seedsAndIndicesGiveDifferentSamples() {
        float[] image = new GeneratedSamples(4, SIDE, List.of()).sample(0).image();
        assertFalse(Arrays.equals(
                image, new GeneratedSamples(4, SIDE, List.of()).sample(1).image()));
        assertFalse(Arrays.equals(
                image, new GeneratedSamples(5, SIDE, List.of()).sample(0).image()));
    }

    /** Shares with wide margins: they say what the network gets to see, not how the generator draws. */
    @Test
    void samplesAreVaried() {
        SampleSource source = new GeneratedSamples(6, SIDE, List.of());
        Map<GeneratedSamples.Kind, Integer> kinds = new EnumMap<>(GeneratedSamples.Kind.class);
        int narrow = 0;
        int wide = 0;
        int cut = 0;
        int similar = 0;
        double soft = 0;
        List<Float> coverages = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            Sample sample = source.sample(i);
            String kind = sample.name().substring(0, sample.name().indexOf('-'));
            kinds.merge(GeneratedSamples.Kind.valueOf(kind.toUpperCase(Locale.ROOT)), 1, Integer::sum);
            float unknown = Trimaps.unknownShare(sample.trimap());
            narrow += unknown < 0.3f ? 1 : 0;
            wide += unknown > 0.5f ? 1 : 0;
            cut += touchesBorder(sample.alpha()) ? 1 : 0;
            similar += colorDistance(sample) < 0.2f ? 1 : 0;
            soft += share(sample.alpha(), 0.05f, 0.95f);
            coverages.add(share(sample.alpha(), 0.5f, 2));
        }
        for (GeneratedSamples.Kind kind : GeneratedSamples.Kind.values()) {
            assertTrue(kinds.getOrDefault(kind, 0) >= 2, kind + ": " + kinds);
        }
        int furry = kinds.get(GeneratedSamples.Kind.FACE)
                + kinds.get(GeneratedSamples.Kind.PROFILE)
                + kinds.get(GeneratedSamples.Kind.HEAP)
                + kinds.get(GeneratedSamples.Kind.PORTRAIT);
        assertTrue(furry > COUNT / 2, "with fur or hair: " + kinds);
        assertTrue(narrow > COUNT / 8 && wide > COUNT / 8, "narrow bands " + narrow + ", wide bands " + wide);
        assertTrue(cut > COUNT / 3 && cut < COUNT, "cut by the frame: " + cut);
        assertTrue(similar > COUNT / 5 && similar < COUNT * 2 / 3, "similar in colour: " + similar);
        assertTrue(soft / COUNT > 0.05 && soft / COUNT < 0.5, "translucent pixels: " + soft / COUNT);
        coverages.sort(null);
        assertTrue(coverages.get(COUNT / 10) < 0.15f, "small subjects: " + coverages.get(COUNT / 10));
        assertTrue(coverages.get(COUNT * 9 / 10) > 0.6f, "large subjects: " + coverages.get(COUNT * 9 / 10));
    }

    private static boolean touchesBorder(float[] alpha) {
        return IntStream.range(0, SIDE)
                .anyMatch(i -> alpha[i] > 0.5f
                        || alpha[alpha.length - 1 - i] > 0.5f
                        || alpha[i * SIDE] > 0.5f
                        || alpha[i * SIDE + SIDE - 1] > 0.5f);
    }

    private static float share(float[] values, float low, float high) {
        int count = 0;
        for (float value : values) {
            count += value > low && value < high ? 1 : 0;
        }
        return (float) count / values.length;
    }

    /** Mean difference of foreground and background over the unknown pixels. */
    private static float colorDistance(Sample sample) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < sample.image().length; i++) {
            if (sample.trimap()[i % sample.trimap().length] == 0.5f) {
                sum += Math.abs(sample.foreground()[i] - sample.background()[i]);
                count++;
            }
        }
        return (float) (sum / count);
    }

    @Test
    void photosServeAsSurfacesAndBrokenOnesAreLeftOut() throws Exception {
        Path broken = Files.writeString(folder.resolve("a.png"), "no picture");
        Path photo = folder.resolve("b.png");
        PngWriter.write(TestPictures.gradient(80, 120), photo);
        SampleSource plain = new GeneratedSamples(7, SIDE, List.of());
        SampleSource withPhotos = new GeneratedSamples(7, SIDE, List.of(broken, photo));
        int changed = 0;
        for (int i = 0; i < 20; i++) {
            Sample sample = withPhotos.sample(i);
            Samples.requireConsistent(sample, SIDE);
            changed += Arrays.equals(sample.image(), plain.sample(i).image()) ? 0 : 1;
        }
        assertTrue(changed > 10, "samples that photos changed: " + changed);
    }

    @Test
    void photosThatAreAllBrokenAreRefused() throws Exception {
        Path broken = Files.writeString(folder.resolve("a.png"), "no picture");
        SampleSource source = new GeneratedSamples(8, SIDE, List.of(broken));
        InvalidInputException refused = assertThrows(
                InvalidInputException.class, () -> LongStream.range(0, 20).forEach(source::sample));
        assertTrue(refused.getMessage().contains(broken.toString()), refused.getMessage());
    }

    @Test
    void aSideThatIsTooSmallIsRefused() {
        InvalidInputException refused =
                assertThrows(InvalidInputException.class, () -> new GeneratedSamples(1, 31, List.of()));
        assertEquals("side: at least 32 pixels expected, got 31", refused.getMessage());
    }
}
