package org.jmatte.weights;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jmatte.InvalidInputException;
import org.jmatte.network.Architecture;
import org.jmatte.network.PamArchitecture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A network's weights, opened, with all that they decide about the network. */
public final class ModelSource implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelSource.class);
    private static final String SEEDED = "seeded:";
    private static final String BOX = "box:";
    private static final Pattern BOX_NAME = Pattern.compile("[a-z0-9_]+");
    private static final Pattern SEEDED_FORM = Pattern.compile("([^:]*)(?::([+-]?\\d{1,1000}))?");
    private static final List<String> FILES_OF_DIRECTORY = List.of("model.safetensors", "pytorch_model.bin");
    private static final String PREPROCESSOR = "preprocessor_config.json";

    private final Architecture architecture;
    private final Origin origin;
    private final Normalisation normalisation;
    private final Checkpoint checkpoint;
    private final List<?> contents;

    /** @param contents equal for equal weights */
    private ModelSource(
            Architecture architecture,
            Origin origin,
            Normalisation normalisation,
            Checkpoint checkpoint,
            List<?> contents) {
        this.architecture = architecture;
        this.origin = origin;
        this.normalisation = normalisation;
        this.checkpoint = checkpoint;
        this.contents = contents;
    }

    /**
     * Opens the weights that {@code spec} names.
     *
     * @param spec {@code box:NAME}, a model in the box: the resource {@code /org/jmatte/models/NAME.safetensors} of the
     *     class path; {@code seeded:NAME} or {@code seeded:NAME:SEED} (seed 1 by default), with NAME as in
     *     {@link Architecture#named}; a PyTorch or safetensors file, recognised by its content; or a Hugging Face
     *     directory with {@code model.safetensors} or {@code pytorch_model.bin}
     * @throws CheckpointException if there is no such file, or it does not hold exactly the tensors of a network; all
     *     that is wrong with the tensors is in one message
     */
    public static ModelSource open(String spec) {
        if (spec.startsWith(SEEDED)) {
            return seeded(spec);
        }
        if (spec.startsWith(BOX)) {
            return boxed(spec);
        }
        Path path;
        try {
            path = Path.of(spec);
        } catch (InvalidPathException e) {
            throw new CheckpointException(
                    "Weights: expected a path, box:NAME or seeded:NAME, found '" + spec + "' (" + e.getMessage()
                            + "). Correct it.",
                    e);
        }
        return file(Files.isDirectory(path) ? fileOf(path) : path);
    }

    private static ModelSource seeded(String spec) {
        Matcher form = SEEDED_FORM.matcher(spec.substring(SEEDED.length()));
        if (!form.matches()) {
            throw CheckpointException.of(
                    "Weights",
                    "seeded:NAME or seeded:NAME:SEED with a whole number",
                    "'" + spec + "'",
                    "Correct it, for example seeded:mematte_s:1.");
        }
        Architecture architecture;
        try {
            architecture = Architecture.named(form.group(1));
        } catch (InvalidInputException e) {
            throw new CheckpointException(spec + ": " + e.getMessage(), e);
        }
        BigInteger seed = form.group(2) == null ? BigInteger.ONE : new BigInteger(form.group(2));
        Checkpoint weights = new SeededCheckpoint(architecture.name(), seed, architecture.parameterShapes());
        return new ModelSource(
                architecture,
                Origin.AUTHORS,
                Normalisation.of(Origin.AUTHORS),
                weights,
                List.of(SEEDED, architecture, seed));
    }

    /** A model of some megabytes: read at once, for a resource cannot be mapped. */
    private static ModelSource boxed(String spec) {
        String name = spec.substring(BOX.length());
        String resource = "/org/jmatte/models/" + name + ".safetensors";
        try (InputStream stream =
                BOX_NAME.matcher(name).matches() ? ModelSource.class.getResourceAsStream(resource) : null) {
            if (stream == null) {
                throw CheckpointException.of(
                        spec,
                        "the resource " + resource + " on the class path",
                        "nothing",
                        "Correct the name, or give a checkpoint's file.");
            }
            ByteSource bytes = ByteSource.memory(spec, ByteBuffer.wrap(stream.readAllBytes()));
            return recognised(CheckpointFile.open(bytes), Normalisation::of, List.of(spec));
        } catch (IOException e) {
            throw new CheckpointException(spec + ": cannot be read (" + e + "). Check the class path.", e);
        }
    }

    private static Path fileOf(Path directory) {
        for (String name : FILES_OF_DIRECTORY) {
            if (Files.exists(directory.resolve(name))) {
                return directory.resolve(name);
            }
        }
        String found;
        try (Stream<Path> files = Files.list(directory)) {
            found = files.limit(10).map(file -> file.getFileName().toString()).collect(Collectors.joining(", "));
        } catch (IOException e) {
            throw new CheckpointException(directory + ": cannot be listed (" + e + "). Check its access.", e);
        }
        throw CheckpointException.of(
                directory.toString(),
                String.join(" or ", FILES_OF_DIRECTORY),
                found.isEmpty() ? "an empty directory" : found,
                "Give the weights' file itself.");
    }

    private static ModelSource file(Path file) {
        return recognised(Checkpoint.open(file), origin -> normalisation(file, origin), contents(file));
    }

    /** Takes over {@code opened}: it is closed with the source, or at once if this fails. */
    private static ModelSource recognised(
            Checkpoint opened, Function<Origin, Normalisation> normalisation, List<?> contents) {
        try {
            ModelCheckpoint model = new ModelCheckpoint(opened);
            Origin origin = model.origin();
            boolean defined = model.architecture() instanceof PamArchitecture; // no file beside it says otherwise
            return new ModelSource(
                    model.architecture(),
                    origin,
                    defined ? Normalisation.of(origin) : normalisation.apply(origin),
                    model,
                    contents);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** What a file holds, as far as it can be told without reading it. */
    private static List<?> contents(Path file) {
        try {
            return List.of(file.toRealPath(), Files.size(file), Files.getLastModifiedTime(file));
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be looked at (" + e + "). Check its access.", e);
        }
    }

    private static Normalisation normalisation(Path file, Origin origin) {
        Path config = file.resolveSibling(PREPROCESSOR);
        if (Files.exists(config)) {
            LOG.info("Normalising photos as {} says", config);
            return Normalisation.read(config);
        }
        if (origin == Origin.HUGGINGFACE) {
            LOG.info("No {} beside {}: normalising photos with mean 0.5 and deviation 0.5", PREPROCESSOR, file);
        }
        return Normalisation.of(origin);
    }

    /** The network, recognised from its tensors. */
    public Architecture architecture() {
        return architecture;
    }

    /** Whose conventions the weights follow, by their tensors' names. */
    public Origin origin() {
        return origin;
    }

    /** Equal for two sources of the same weights and normalisation; a file is known by its path, size and time. */
    public Object identity() {
        return List.of(contents, Arrays.toString(normalisation.mean()), Arrays.toString(normalisation.std()));
    }

    /** The mean per channel (red, green, blue) of photos in 0..1, subtracted from them. */
    public float[] mean() {
        return normalisation.mean().clone();
    }

    /** The standard deviation per channel (red, green, blue) of photos in 0..1, by which they are divided. */
    public float[] std() {
        return normalisation.std().clone();
    }

    /**
     * The tensors of {@link Architecture#parameterShapes}, under those names and of those shapes, but for the
     * {@code rel_pos} tables of unrouted global blocks: any odd number of rows. Closed with this source.
     */
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
