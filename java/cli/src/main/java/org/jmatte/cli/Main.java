package org.jmatte.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jmatte.Backend;
import org.jmatte.InvalidInputException;
import org.jmatte.Isa;
import org.jmatte.Padding;
import org.jmatte.Precision;
import org.jmatte.StreamType;
import org.jmatte.image.Trimap;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or input. Results go to standard output, everything
 * else to standard error; an error is one line.
 */
@Command(
        name = "jmatte",
        description = "Alpha mattes at full resolution: MEMatte, ViTMatte and PAM.",
        subcommands = {
            MatteCommand.class,
            DemoCommand.class,
            InspectCommand.class,
            PlanCommand.class,
            BenchCommand.class,
            ProfileCommand.class,
            EvalCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        sortOptions = false,
        sortSynopsis = false,
        usageHelpAutoWidth = true,
        scope = ScopeType.INHERIT)
public final class Main implements Runnable {
    static final int DONE = 0;
    static final int FAILED = 1;
    static final int WRONG_INPUT = 2;

    private final AtomicBoolean interruptionTold = new AtomicBoolean();

    @Spec
    private CommandSpec spec;

    @Option(names = "--quiet", scope = ScopeType.INHERIT, description = "No progress and no summary.")
    private boolean quiet;

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "Tell what is chosen and why; stack traces of errors.")
    private boolean verbose;

    private Main() {}

    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, true, Charset.defaultCharset());
        PrintWriter err = new PrintWriter(System.err, true, Charset.defaultCharset());
        System.exit(run(args, out, err));
    }

    /**
     * Runs one command.
     *
     * @param args a verb and its flags
     * @param out receives results
     * @param err receives progress and errors
     * @return the exit code
     */
    public static int run(String[] args, PrintWriter out, PrintWriter err) {
        Main main = new Main();
        CommandLine line = main.commandLine().setOut(out).setErr(err);
        try {
            return line.execute(args);
        } catch (Error e) { // picocli handles exceptions only
            return main.failure(e, err);
        } finally {
            out.flush();
            err.flush();
        }
    }

    boolean quiet() {
        return quiet;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "a verb is missing: matte, demo, inspect, plan, bench, profile or eval");
    }

    /** Reports an error, and says what exit code it means. */
    private int failure(Throwable error, PrintWriter err) {
        if (error instanceof CancellationException) {
            interruption().ifPresent(err::println);
        } else {
            err.println(describe("", error));
        }
        return error instanceof InvalidInputException ? WRONG_INPUT : FAILED;
    }

    /** Shows how far a run has come, where that can be shown and is wanted. */
    ProgressDisplay progress(String task, int images) {
        return new ProgressDisplay(task, images, showsProgress(), err());
    }

    /** Lets Ctrl-C and {@code kill} stop a run in good order, and says so. */
    Interruption interruptible() {
        return new Interruption(() ->
                interruption().ifPresent(line -> err().println(showsProgress() ? ProgressDisplay.above(line) : line)));
    }

    private boolean showsProgress() {
        return !quiet && ProgressDisplay.terminal();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /** What is to be said of an interruption, unless it was said before. */
    private Optional<String> interruption() {
        return interruptionTold.compareAndSet(false, true)
                ? Optional.of("jmatte: interrupted; finished files stay")
                : Optional.empty();
    }

    /** An error in one line, or in full with {@code -v}. */
    String describe(String prefix, Throwable error) {
        String line = "jmatte: " + prefix + explain(error);
        if (!verbose) {
            return line;
        }
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        return line + System.lineSeparator() + trace;
    }

    private static String explain(Throwable error) {
        String message = String.valueOf(error.getMessage()).replaceAll("\\s*\\R\\s*", " ");
        if (error instanceof OutOfMemoryError) {
            return "out of memory (" + message + "); lower --memory-budget or --max-tokens, or raise the JVM's limits"
                    + " with JMATTE_JAVA_OPTS=\"-Xmx8g -XX:MaxDirectMemorySize=16g\"";
        }
        boolean selfExplanatory = error instanceof InvalidInputException
                || error instanceof OutputException
                || error instanceof ArithmeticException;
        return selfExplanatory ? message : error.getClass().getSimpleName() + ": " + message;
    }

    private CommandLine commandLine() {
        CommandLine line = new CommandLine(this);
        ServiceLoader.load(Verb.class).forEach(line::addSubcommand);
        return line.registerConverter(Backend.class, choice(Backend.class))
                .registerConverter(Precision.class, choice(Precision.class))
                .registerConverter(StreamType.class, choice(StreamType.class))
                .registerConverter(Isa.class, choice(Isa.class))
                .registerConverter(Padding.class, choice(Padding.class))
                .registerConverter(Trimap.Values.class, choice(Trimap.Values.class))
                .registerConverter(AlphaFile.class, choice(AlphaFile.class))
                .registerConverter(Layout.class, choice(Layout.class))
                .registerConverter(Size.class, Size::parse)
                .registerConverter(BackgroundSource.class, BackgroundSource::parse)
                .setExecutionStrategy(this::execute)
                .setParameterExceptionHandler(this::wrongUsage)
                .setExecutionExceptionHandler((e, command, parsed) -> failure(e, command.getErr()));
    }

    private int execute(ParseResult parsed) {
        if (verbose) { // before the first logger is made
            System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
        }
        return new RunLast().execute(parsed);
    }

    private int wrongUsage(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        command.getErr()
                .println("jmatte: " + explain(new InvalidInputException(e.getMessage())) + "; see " + name + " --help");
        return WRONG_INPUT;
    }

    /** A constant of an enumeration, in lower case. */
    private static <E extends Enum<E>> ITypeConverter<E> choice(Class<E> type) {
        return text -> Arrays.stream(type.getEnumConstants())
                .filter(constant -> word(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("expected "
                        + Arrays.stream(type.getEnumConstants()).map(Main::word).collect(Collectors.joining(" or "))
                        + ", got '" + text + "'"));
    }

    /** How a constant is written on the command line and in reports. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The project's version, which the build leaves in a resource. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            Properties properties = new Properties();
            try (InputStream resource = Main.class.getResourceAsStream("version.properties")) {
                properties.load(resource);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new String[] {"jmatte " + properties.getProperty("version")};
        }
    }
}
