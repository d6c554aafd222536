package org.jmatte.cli;

import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.jmatte.Plan;
import org.jmatte.Routing;
import org.jmatte.RunListener.Kernel;
import org.jmatte.image.AtomicFile;
import org.jmatte.image.ImageException;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.PamPath;
import org.jmatte.network.VitArchitecture;

/**
 * A profile as one page: the template's style and script with these numbers and pictures in it. Times are seconds since
 * the matte was asked for; pictures are data URIs.
 *
 * @param stages of the network, beside what was planned of each
 * @param workers of the processor
 * @param kernels of the device
 * @param routing null for a network without tokens
 * @param path of a PAM network, a 1 for each segment that was kept and a 0 for each bypassed; null for others
 */
record ProfilePage(
        Head head,
        List<Operator> operators,
        double outsideSeconds,
        Ceilings roofline,
        List<Stage> stages,
        List<Span> workers,
        List<Span> kernels,
        Pictures pictures,
        Routers routing,
        String path,
        List<NsightCommands> commands) {
    /** Longest side of a picture. */
    private static final int PICTURE_SIDE = 640;

    private static final int TOKEN_SIDE = 16;

    /** What was run, and what it took in all. */
    record Head(
            String model,
            String dtype,
            String backend,
            int height,
            int width,
            double seconds,
            long peakBytes,
            long plannedBytes,
            long weightsBytes,
            long plannedFlops,
            long plannedMovedBytes,
            String tiling,
            Double gmacs,
            int budgetGmacs) {}

    /** @param roofline share of the machine's ceiling; null where there is none */
    record Operator(String name, int calls, double seconds, long flops, long bytes, Double roofline) {}

    record Ceilings(double bytesPerSecond, double flopsPerSecond) {}

    /**
     * @param start when the host began with it
     * @param ran when it began to run, which on a card is later
     * @param done when it had run
     */
    record Stage(
            String name,
            String operator,
            double start,
            double end,
            double ran,
            double done,
            long flops,
            long bytes,
            long arenaBytes,
            Planned planned) {}

    /** What was planned of a stage, whose name differs where another path was taken. */
    record Planned(String name, long flops, long bytes, long arenaBytes) {}

    /** @param lane number of the worker; 0 for the device */
    record Span(int lane, String operator, String name, double start, double end) {}

    record Pictures(String photo, String trimap, String alpha) {}

    /**
     * @param across how much wider the grid of tokens is than the photo
     * @param down how much higher
     */
    record Routers(int tokens, double across, double down, List<Router> routers) {}

    /** @param mask a pixel per token, dark where it took the lightweight path */
    record Router(int block, int kept, String mask) {}

    /** @param arguments of the command line */
    static ProfilePage of(Profile profile, Photo photo, Trimap trimap, List<String> arguments) {
        PamPath path = profile.matte().path();
        return new ProfilePage(
                head(profile, photo),
                profile.operators().stream()
                        .map(o -> new Operator(
                                o.name(),
                                o.calls(),
                                o.seconds(),
                                o.flops(),
                                o.bytes(),
                                profile.roofline().map(o::shareOf).orElse(null)))
                        .toList(),
                profile.outside(),
                profile.roofline()
                        .map(r -> new Ceilings(r.bytesPerSecond(), r.flopsPerSecond()))
                        .orElse(null),
                stages(profile),
                workers(profile),
                kernels(profile),
                new Pictures(
                        jpeg(photo.toImage()),
                        jpeg(grey(trimap)),
                        jpeg(profile.matte().alpha().toImage())),
                routers(profile.matte().routing(), photo),
                path == null ? null : path.toString(),
                NsightCommands.of(profile, arguments));
    }

    private static Head head(Profile profile, Photo photo) {
        PamPath path = profile.matte().path();
        return new Head(
                profile.model(),
                profile.dtype(),
                Main.word(profile.backend()),
                photo.height(),
                photo.width(),
                profile.seconds(),
                profile.matte().peakBytes(),
                profile.matte().plannedBytes(),
                profile.plan().weightsBytes(),
                profile.plan().flops(),
                profile.plan().movedBytes(),
                profile.plan().tiling(),
                path == null ? null : path.gmacs(),
                profile.plan().gmacs());
    }

    private static List<Stage> stages(Profile profile) {
        List<Stage> stages = new ArrayList<>();
        for (Recording.Stage stage : profile.stages()) {
            Profile.Operator work = profile.work(stage);
            Plan.Stage plan = profile.plan().stages().get(stages.size());
            stages.add(new Stage(
                    stage.stage().name(),
                    Profile.operator(stage.stage().name()),
                    profile.since(stage.start()),
                    profile.since(stage.end()),
                    profile.since(profile.ran(stage).start()),
                    profile.since(profile.ran(stage).end()),
                    work.flops(),
                    work.bytes(),
                    stage.stage().arenaBytes(),
                    new Planned(plan.name(), plan.flops(), plan.movedBytes(), plan.arenaBytes())));
        }
        return stages;
    }

    private static List<Span> workers(Profile profile) {
        return profile.workers().stream()
                .map(worker -> {
                    String stage = profile.stages().get(worker.stage()).stage().name();
                    return new Span(
                            worker.thread(),
                            Profile.operator(stage),
                            stage,
                            profile.since(worker.start()),
                            profile.since(worker.end()));
                })
                .toList();
    }

    private static List<Span> kernels(Profile profile) {
        List<Span> spans = new ArrayList<>();
        for (Kernel kernel : profile.kernels()) {
            spans.add(new Span(
                    0, kernel.operator(), kernel.name(), profile.since(kernel.start()), profile.since(kernel.end())));
        }
        return spans;
    }

    // ---------------------------------------------------------------- pictures

    private static Routers routers(Routing routing, Photo photo) {
        if (routing.kept().isEmpty()) {
            return null;
        }
        List<Router> routers = new ArrayList<>();
        for (BitSet kept : routing.kept()) {
            int block = VitArchitecture.globalBlocks()[routers.size()];
            routers.add(new Router(block, kept.cardinality(), mask(routing, kept)));
        }
        return new Routers(
                routing.tokens(),
                (double) routing.gridWidth() * TOKEN_SIDE / photo.width(),
                (double) routing.gridHeight() * TOKEN_SIDE / photo.height(),
                routers);
    }

    private static String mask(Routing routing, BitSet kept) {
        int shade = 0xCC10141C; // most of the photo's light is taken where a token was not kept
        BufferedImage image = new BufferedImage(routing.gridWidth(), routing.gridHeight(), BufferedImage.TYPE_INT_ARGB);
        for (int token = kept.nextClearBit(0); token < routing.tokens(); token = kept.nextClearBit(token + 1)) {
            image.setRGB(token % routing.gridWidth(), token / routing.gridWidth(), shade);
        }
        return dataUri(image, "png");
    }

    private static BufferedImage grey(Trimap trimap) {
        BufferedImage image = new BufferedImage(trimap.width(), trimap.height(), BufferedImage.TYPE_BYTE_GRAY);
        ByteBuffer values = trimap.bytes();
        byte[] row = new byte[trimap.width()];
        for (int y = 0; y < trimap.height(); y++) {
            values.get(y * row.length, row);
            image.getRaster().setDataElements(0, y, row.length, 1, row);
        }
        return image;
    }

    /** A picture, scaled down where it is larger than the page shows it. */
    private static String jpeg(BufferedImage image) {
        double scale = Math.min(1, (double) PICTURE_SIDE / Math.max(image.getWidth(), image.getHeight()));
        int width = (int) Math.max(1, Math.round(scale * image.getWidth()));
        int height = (int) Math.max(1, Math.round(scale * image.getHeight()));
        BufferedImage small = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Image scaled = image.getScaledInstance(width, height, Image.SCALE_AREA_AVERAGING);
        small.createGraphics().drawImage(scaled, 0, 0, null);
        return dataUri(small, "jpeg");
    }

    private static String dataUri(BufferedImage image, String format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, format, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing is written to but memory
        }
        return "data:image/" + format + ";base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    // ---------------------------------------------------------------- the page

    /** Writes the page, replacing an existing file. */
    void write(Path file) {
        String data = Json.text(this).replace("&", "\\u0026").replace("<", "\\u003c");
        String page = resource("profile.html")
                .replace("{{style}}", resource("profile.css"))
                .replace("{{script}}", resource("profile.js"))
                .replace("{{data}}", data);
        try {
            AtomicFile.write(file, temporary -> Files.writeString(temporary, page));
        } catch (ImageException e) {
            throw new OutputException(e.getMessage(), e);
        }
    }

    private static String resource(String name) {
        try (InputStream resource = ProfilePage.class.getResourceAsStream("profile/" + name)) {
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
