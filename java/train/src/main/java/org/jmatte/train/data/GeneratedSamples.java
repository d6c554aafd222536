package org.jmatte.train.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jmatte.InvalidInputException;

/**
 * Samples painted from random numbers, with exact alpha: animals and people with fur and hair, hard objects, thin
 * structures, lettering, foliage, lace, glass and smoke, over backgrounds of all kinds. Needs no files; photos, where
 * given, serve as surfaces.
 */
public final class GeneratedSamples implements SampleSource {
    private static final int PICTURE_SIDE = 1024;
    private static final long PICTURE_BYTES = 256L << 20;
    private static final int LEAST_SIDE = 32;

    /** Largest radius of a trimap's band at side 192, in pixels. */
    private static final float REACH = 25;

    private static final float LEAST_UNKNOWN = 0.03f;

    /** Below this, on average, nobody could tell the foreground from the background. */
    private static final float LEAST_CONTRAST = 0.05f;

    /** Shares of the samples. */
    private static final float JOINED = 0.15f;

    private static final float SIMILAR = 0.25f;
    private static final float TURNED = 0.05f;
    private static final float SHADOWED = 0.15f;

    /** What may be painted, with its share. */
    enum Kind {
        FACE(0.22f, Animals::face),
        PROFILE(0.1f, Animals::profile),
        HEAP(0.09f, Animals::heap),
        PORTRAIT(0.2f, Portraits::bust),
        SOLID(0.11f, Things::solid),
        FRAME(0.04f, Things::frame),
        LETTERING(0.05f, Things::lettering),
        FOLIAGE(0.08f, Leaves::foliage),
        LACE(0.03f, Translucent::lace),
        VEIL(0.02f, Translucent::veil),
        GLASS(0.03f, Translucent::glass),
        SMOKE(0.03f, Translucent::smoke);

        private final float share;
        private final Subject subject;

        Kind(float share, Subject subject) {
            this.share = share;
            this.subject = subject;
        }

        static Kind draw(Rng rng) {
            float at = rng.uniform();
            for (Kind kind : values()) {
                at -= kind.share;
                if (at < 0) {
                    return kind;
                }
            }
            return FACE;
        }
    }

    private final long seed;
    private final int side;
    private final Pictures pictures;

    /**
     * @param seed another seed gives other samples
     * @param side height and width of the samples in pixels, at least 32
     * @param photos files used as surfaces, in an order that must not change between runs; may be empty
     * @throws InvalidInputException if the side is too small
     */
    public GeneratedSamples(long seed, int side, List<Path> photos) {
        this.seed = seed;
        this.side = requireSide(side);
        pictures = new Pictures(photos, PICTURE_SIDE, PICTURE_BYTES);
    }

    static int requireSide(int side) {
        if (side < LEAST_SIDE) {
            throw new InvalidInputException("side: at least " + LEAST_SIDE + " pixels expected, got " + side);
        }
        return side;
    }

    @Override
    public Sample sample(long index) {
        Rng rng = Rng.of(seed, index);
        while (true) {
            Scene scene = new Scene(rng.split(), side, pictures);
            Kind kind = Kind.draw(scene.rng());
            Layer subject = subject(kind, scene);
            float coverage = subject.coverage();
            if (coverage < 0.03f || coverage > 0.985f || !Trimaps.possible(subject.alpha)) {
                continue;
            }
            float[] trimap = Trimaps.draw(subject.alpha, side, side, REACH * scene.unit(), scene.rng());
            if (Trimaps.unknownShare(trimap) >= LEAST_UNKNOWN) {
                return compose(kind.name().toLowerCase(Locale.ROOT) + "-" + index, scene, subject, trimap);
            }
        }
    }

    private Layer subject(Kind kind, Scene scene) {
        Rng rng = scene.rng();
        Layer layer = new Layer(side);
        kind.subject.paint(scene, pose(rng), layer);
        if (rng.chance(JOINED)) {
            Layer second = new Layer(side);
            Kind.draw(rng).subject.paint(scene, pose(rng), second);
            layer.over(second);
        }
        Camera.focus(layer, scene);
        Camera.soften(layer, scene);
        return layer;
    }

    /** Half of the subjects lie in the frame, half are seen from so near that only part of their outline is in it. */
    private Pose pose(Rng rng) {
        float angle = rng.chance(0.8) ? 0.2f * rng.normal() : rng.angle();
        if (rng.chance(0.5)) {
            return Pose.of(
                    side * rng.between(0.25f, 0.75f),
                    side * rng.between(0.3f, 0.8f),
                    side * rng.logBetween(0.2f, 0.55f),
                    angle,
                    rng.sign());
        }
        float size = side * rng.logBetween(0.4f, 1.3f);
        float towards = rng.angle();
        float off = size * rng.between(0.5f, 1.15f);
        return Pose.of(
                side * rng.between(0.3f, 0.7f) + off * (float) StrictMath.cos(towards),
                side * rng.between(0.3f, 0.7f) + off * (float) StrictMath.sin(towards),
                size,
                angle,
                rng.sign());
    }

    private Sample compose(String name, Scene scene, Layer subject, float[] trimap) {
        Rng rng = scene.rng();
        float[] foreground = subject.colors();
        float[] background = rng.chance(TURNED) ? turned(foreground, rng) : background(SIMILAR, scene, subject);
        if (contrast(foreground, background, trimap) < LEAST_CONTRAST) {
            background = background(0, scene, subject);
        }
        Camera.expose(foreground, background, scene);
        Camera.develop(foreground, background, subject.alpha, scene);
        return Sample.composed(name, side, side, foreground, background, subject.alpha, trimap);
    }

    /** Mean difference of the colours where it matters. */
    private static float contrast(float[] foreground, float[] background, float[] trimap) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < foreground.length; i++) {
            if (trimap[i % trimap.length] == Trimaps.UNKNOWN) {
                sum += Math.abs(foreground[i] - background[i]);
                count++;
            }
        }
        return (float) (sum / count);
    }

    private float[] background(float similar, Scene scene, Layer subject) {
        Rng rng = scene.rng();
        Palette palette = rng.chance(similar)
                ? Palette.of(subject, rng)
                : scene.hasPictures() && rng.chance(0.3) ? Palette.of(scene.picture(), rng) : Palette.draw(rng);
        Layer layer = Backgrounds.draw(scene, palette, Kind.draw(rng).subject);
        if (rng.chance(SHADOWED)) {
            Backgrounds.shadow(layer, subject, scene);
        }
        Camera.soften(layer, scene);
        return layer.colors();
    }

    /** The hardest background: the foreground's own colours, turned by a quarter, perhaps blurred. */
    private float[] turned(float[] colors, Rng rng) {
        float[] result = new float[colors.length];
        float sigma = rng.chance(0.5) ? 0 : rng.logBetween(0.5f, 10);
        float[] plane = new float[side * side];
        for (int start = 0; start < colors.length; start += plane.length) {
            for (int i = 0; i < plane.length; i++) {
                plane[i] = colors[start + i % side * side + side - 1 - i / side];
            }
            Blur.gaussian(plane, side, sigma);
            for (int i = 0; i < plane.length; i++) {
                result[start + i] = Palette.clamp(plane[i]);
            }
        }
        return result;
    }
}
