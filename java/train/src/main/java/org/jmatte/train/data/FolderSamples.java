package org.jmatte.train.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Samples composed from foregrounds with alpha mattes and from backgrounds, as for Composition-1k: with probability 0.5
 * a second foreground joins ({@code alpha = 1 - (1 - a1)(1 - a2)}); a random affine map and flip; a crop of 320, 480 or
 * 640 pixels around a random pixel of a transition, resized; changed colours of the foreground; a random crop of a
 * background; a trimap by erosion and dilation with random ellipses.
 *
 * <p>Expects {@code fg/} and {@code alpha/} in one folder, with the same names up to the extension, and any pictures in
 * the other. What cannot be used is named once in the log and left out: another file is taken in its place.
 */
public final class FolderSamples implements SampleSource {
    private static final Logger LOG = LoggerFactory.getLogger(FolderSamples.class);
    private static final String COLORS = "fg";
    private static final String ALPHAS = "alpha";
    private static final int[] CROPS = {320, 480, 640};
    private static final float JOINED = 0.5f;

    /** Largest radius of a trimap's band in pixels, and as a share of the side where that is less. */
    private static final float REACH = 29;

    private static final float REACH_SHARE = 0.13f;
    private static final int MOST_SAMPLES = 6;

    private static final long MOST_BYTES = 1L << 30;

    /** Files of one foreground. */
    private record Pair(String name, Path colors, Path alpha) {}

    private final long seed;
    private final int side;
    private final List<Pair> pairs;
    private final Pictures foregrounds;
    private final Pictures backgrounds;
    private final Set<Pair> unusable = ConcurrentHashMap.newKeySet();

    /**
     * @param seed another seed gives other samples
     * @param side height and width of the samples in pixels, at least 32
     * @param foregrounds folder with {@code fg/} and {@code alpha/}
     * @param backgrounds folder of pictures
     * @throws InvalidInputException naming the folder in which nothing was found that could be used, and what is
     *     expected there
     */
    public FolderSamples(long seed, int side, Path foregrounds, Path backgrounds) {
        this.seed = seed;
        this.side = GeneratedSamples.requireSide(side);
        pairs = pairs(foregrounds);
        List<Path> scenes = files(backgrounds);
        if (scenes.isEmpty()) {
            throw new InvalidInputException(backgrounds + ": no files; a folder of background pictures is expected");
        }
        long bytes = Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / 8);
        this.foregrounds = new Pictures(List.of(), Integer.MAX_VALUE, bytes);
        this.backgrounds = new Pictures(scenes, Integer.MAX_VALUE, bytes);
    }

    private static List<Pair> pairs(Path folder) {
        String layout = folder + ": expected " + COLORS + "/ with pictures and " + ALPHAS
                + "/ with their alpha mattes under the same names up to the extension";
        Path colors = folder.resolve(COLORS);
        Path alphas = folder.resolve(ALPHAS);
        if (!Files.isDirectory(colors) || !Files.isDirectory(alphas)) {
            throw new InvalidInputException(
                    layout + "; there is no folder " + (Files.isDirectory(colors) ? alphas : colors));
        }
        Map<String, Path> byName = new HashMap<>();
        files(alphas).forEach(file -> byName.put(baseName(file), file));
        List<Pair> pairs = new ArrayList<>();
        for (Path file : files(colors)) {
            Path alpha = byName.get(baseName(file));
            if (alpha == null) {
                LOG.warn("{}: no alpha matte of this name in {}; it is left out", file, alphas);
            } else {
                pairs.add(new Pair(baseName(file), file, alpha));
            }
        }
        if (pairs.isEmpty()) {
            throw new InvalidInputException(layout + "; no such pair was found");
        }
        return pairs;
    }

    /** By name, so that their order is the same everywhere. */
    private static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(
                            file -> Files.isRegularFile(file) && !baseName(file).isEmpty())
                    .sorted(Comparator.comparing(file -> file.getFileName().toString()))
                    .toList();
        } catch (IOException e) {
            throw new InvalidInputException(folder + ": the folder cannot be read (" + e + ")", e);
        }
    }

    /** The name without its extension; empty for hidden files. */
    private static String baseName(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot < 0 ? name : name.substring(0, dot);
    }

    @Override
    public Sample sample(long index) {
        Rng rng = Rng.of(seed, index);
        while (true) {
            Cutout first = foreground(rng);
            Layer layer = crop(first, rng.chance(JOINED) ? foreground(rng) : null, rng);
            if (Trimaps.possible(layer.alpha)) {
                float[] trimap = Trimaps.even(layer.alpha, side, side, Math.min(REACH, REACH_SHARE * side), rng);
                float[] background = background(rng).colors();
                String name = first.name() + "-" + index;
                return Sample.composed(name, side, side, layer.colors(), background, layer.alpha, trimap);
            }
        }
    }

    private Cutout foreground(Rng rng) {
        int start = rng.below(pairs.size());
        for (int i = 0; i < pairs.size(); i++) {
            Cutout cutout = cutout(pairs.get((start + i) % pairs.size()));
            if (cutout != null) {
                return cutout;
            }
        }
        throw new InvalidInputException(pairs.get(0).colors().getParent() + ": none of the " + pairs.size()
                + " foregrounds can be used; the log says why");
    }

    /** The foreground of a pair of files, or null if they cannot be used. */
    private Cutout cutout(Pair pair) {
        if (unusable.contains(pair)) {
            return null;
        }
        Optional<Picture> colors = foregrounds.read(pair.colors());
        Optional<Picture> alpha = foregrounds.read(pair.alpha());
        if (colors.isEmpty() || alpha.isEmpty()) {
            return null;
        }
        Cutout cutout = new Cutout(pair.name(), colors.get(), alpha.get());
        if (cutout.colors().height() != cutout.height() || cutout.colors().width() != cutout.width()) {
            return refuse(
                    pair,
                    "the foreground has " + cutout.colors().width() + "x"
                            + cutout.colors().height() + " pixels, its alpha matte " + pair.alpha() + " "
                            + cutout.width() + "x"
                            + cutout.height());
        }
        if (!cutout.hasTransition()) {
            return refuse(
                    pair,
                    "its alpha matte " + pair.alpha() + " has but one value, "
                            + (cutout.alpha().rgb()[0] & 255));
        }
        return cutout;
    }

    private Cutout refuse(Pair pair, String why) {
        if (unusable.add(pair)) {
            LOG.warn("{}: {}; it is left out", pair.colors(), why);
        }
        return null;
    }

    /** A crop around a transition of the first foreground, behind which the second, if any, lies at the same size. */
    private Layer crop(Cutout first, Cutout second, Rng rng) {
        int anchor = first.transition(rng);
        int centerX = anchor % first.width();
        int centerY = anchor / first.width();
        float step = (float) CROPS[rng.below(CROPS.length)] / side / rng.between(0.8f, 1.25f);
        float angle = rng.chance(0.5) ? rng.between(-0.5f, 0.5f) : 0;
        float shear = rng.between(-0.15f, 0.15f);
        float flip = rng.sign();
        float cos = step * (float) StrictMath.cos(angle);
        float sin = step * (float) StrictMath.sin(angle);
        ColorJitter jitter = ColorJitter.draw(rng);
        ColorJitter other = ColorJitter.draw(rng);
        float scaleX = second == null ? 0 : (float) second.width() / first.width();
        float scaleY = second == null ? 0 : (float) second.height() / first.height();
        boolean turned = rng.chance(0.5);
        Layer layer = new Layer(side);
        sample(layer, step, (x, y, rgb) -> {
            float u = flip * (x - 0.5f * side) + shear * (y - 0.5f * side);
            float v = y - 0.5f * side;
            float px = centerX + 0.5f + cos * u - sin * v;
            float py = centerY + 0.5f + sin * u + cos * v;
            float front = first.color(px, py, rgb);
            jitter.apply(rgb);
            if (second == null) {
                return front;
            }
            float red = rgb[0];
            float green = rgb[1];
            float blue = rgb[2];
            float back = (1 - front) * second.color((turned ? first.width() - px : px) * scaleX, py * scaleY, rgb);
            other.apply(rgb);
            float joined = front + back;
            float share = joined > 0 ? front / joined : 1;
            rgb[0] += share * (red - rgb[0]);
            rgb[1] += share * (green - rgb[1]);
            rgb[2] += share * (blue - rgb[2]);
            return joined;
        });
        return layer;
    }

    /** A square crop of half to all of a picture's shorter side. */
    private Layer background(Rng rng) {
        Picture picture = backgrounds.draw(rng);
        float cropped = Math.min(picture.height(), picture.width()) * rng.between(0.5f, 1);
        float step = cropped / side;
        float left = rng.between(0, picture.width() - cropped);
        float top = rng.between(0, picture.height() - cropped);
        boolean flipped = rng.chance(0.5);
        Layer layer = new Layer(side);
        sample(layer, step, (x, y, rgb) -> {
            picture.color(left + step * (flipped ? side - x : x), top + step * y, rgb);
            return 1;
        });
        return layer;
    }

    /** Paints a surface with as many samples per pixel as the step between pixels asks for. */
    private static void sample(Layer layer, float step, Surface surface) {
        int count = Math.max(1, Math.min(MOST_SAMPLES, Math.round(step)));
        int samples = count * count;
        float[] rgb = new float[3];
        for (int y = 0, i = 0; y < layer.side; y++) {
            for (int x = 0; x < layer.side; x++, i++) {
                for (int k = 0; k < samples; k++) {
                    float inX = (k % count + 0.5f) / count;
                    float inY = (k / count + 0.5f) / count;
                    float cover = surface.cover(x + inX, y + inY, rgb);
                    layer.red[i] += cover * rgb[0];
                    layer.green[i] += cover * rgb[1];
                    layer.blue[i] += cover * rgb[2];
                    layer.alpha[i] += cover;
                }
                layer.red[i] /= samples;
                layer.green[i] /= samples;
                layer.blue[i] /= samples;
                layer.alpha[i] = Math.min(1, layer.alpha[i] / samples);
            }
        }
    }
}
