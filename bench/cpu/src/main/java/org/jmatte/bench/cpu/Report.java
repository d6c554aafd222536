package org.jmatte.bench.cpu;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jmatte.Matting;
import org.jmatte.Plan;
import org.jmatte.bench.cpu.Measurements.Subject;
import org.jmatte.cpu.MatrixProduct;
import org.jmatte.weights.ModelSource;

/** The measurements in Markdown. */
final class Report {
    static final String NETWORKS = "## Networks";

    /** Why an operator is slower than libtorch's, by its name. */
    private static final ResourceBundle REASONS = ResourceBundle.getBundle("org.jmatte.bench.cpu.slower");

    private final Measurements measured;
    private final String head;
    private final int threads;

    /** @param head what was measured, where and how: the lines below the title */
    Report(Measurements measured, String head, int threads) {
        this.measured = measured;
        this.head = head;
        this.threads = threads;
    }

    String markdown() {
        return """
                # Operators and networks on the CPU, against libtorch

                %s
                %s

                %s
                ## Operators

                %s

                %s
                ## Operators that are slower than libtorch's

                %s"""
                .formatted(head, NETWORKS, networks(), ceilings(), operators(), slower());
    }

    private String networks() {
        StringBuilder table = new StringBuilder(
                """
                | network | size | dtype | by | seconds (least to most) | of libtorch's | peak MiB |
                |---|---|---|---|---|---|---|
                """);
        for (Subject subject : measured.subjects(NetworkBenchmark.class)) {
            for (String peer : measured.peers(subject)) {
                table.append("| %s | %s | %s | %s | %s | %s | %.0f |\n"
                        .formatted(
                                subject.name(),
                                subject.size(),
                                subject.dtype(),
                                peer,
                                measured.score(subject, peer),
                                measured.ratio(subject, peer, Operators.LIBTORCH),
                                measured.peak(subject, peer).median()));
            }
        }
        return table.toString();
    }

    private List<Subject> operatorSubjects() {
        return measured.subjects(OperatorBenchmark.class, GlobalAttentionBenchmark.class);
    }

    private String operators() {
        StringBuilder table = new StringBuilder(
                """
                | operator | size | dtype | ms (least to most) | libtorch's ms | of libtorch's | GFLOP/s | of a product | GB/s | of a copy |
                |---|---|---|---|---|---|---|---|---|---|
                """);
        for (Subject subject : operatorSubjects()) {
            Plan.Stage work = work(subject);
            double seconds = 1e-3 * measured.score(subject, Operators.OURS).median();
            double flops = work.flops() / seconds;
            double bytes = work.movedBytes() / seconds;
            table.append("| %s | %s | %s | %s | %s | %s | %s | %.0f %% | %s | %.0f %% |\n"
                    .formatted(
                            subject.name(),
                            subject.size(),
                            subject.dtype(),
                            measured.score(subject, Operators.OURS),
                            Spread.number(
                                    measured.score(subject, Operators.LIBTORCH).median()),
                            measured.ratio(subject, Operators.OURS, Operators.LIBTORCH),
                            Spread.number(1e-9 * flops),
                            100 * flops / product(subject.dtype()),
                            Spread.number(1e-9 * bytes),
                            100 * bytes / copy()));
        }
        return table.toString();
    }

    /** What the operator itself counts. */
    private Plan.Stage work(Subject subject) {
        String network = subject.benchmark().equals(OperatorBenchmark.class.getSimpleName())
                ? OperatorBenchmark.NETWORK
                : GlobalAttentionBenchmark.NETWORK;
        // windowAttention is the stage "block 0 window attention"
        String words = subject.name().replaceAll("(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
        String[] sides = subject.size().split("x");
        try (ModelSource source = ModelSource.open("seeded:" + network)) {
            return Matting.plan(
                            source,
                            Integer.parseInt(sides[0]),
                            Integer.parseInt(sides[1]),
                            Operators.options(source, subject.dtype(), threads))
                    .stages()
                    .stream()
                    .filter(stage ->
                            stage.name().replaceFirst("block \\d+ ", "").equals(words))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private Spread ceiling(String name, String dtype) {
        Subject subject = measured.subjects(CeilingBenchmark.class).stream()
                .filter(s -> s.name().equals(name) && s.dtype().equals(dtype))
                .findFirst()
                .orElseThrow();
        return measured.score(subject, measured.peers(subject).get(0));
    }

    /** Bytes per second that are read or written. */
    private double copy() {
        return 2 * CeilingBenchmark.COPIED * ceiling("copy", "").median();
    }

    private double product(String dtype) {
        return MatrixProduct.FLOPS * ceiling("product", dtype).median();
    }

    /** The machine's ceilings, in a line. */
    private String ceilings() {
        return "A copy moves %s GB/s, read and written; oneDNN's product in the cache makes %s GFLOP/s in fp32, %s in bf16."
                .formatted(
                        Spread.number(1e-9 * copy()),
                        Spread.number(1e-9 * product("fp32")),
                        Spread.number(1e-9 * product("bf16")));
    }

    /** Names of the operators that lose somewhere, with the cases. */
    private Map<String, List<Subject>> losers() {
        return operatorSubjects().stream()
                .filter(subject -> measured.ratio(subject, Operators.OURS, Operators.LIBTORCH)
                                .median()
                        > 1)
                .collect(Collectors.groupingBy(Subject::name));
    }

    private String slower() {
        Function<Map.Entry<String, List<Subject>>, String> line = loser -> "* `%s` (%s): %s\n"
                .formatted(
                        loser.getKey(),
                        loser.getValue().stream()
                                .map(subject -> subject.size() + " in " + subject.dtype())
                                .collect(Collectors.joining(", ")),
                        REASONS.containsKey(loser.getKey()) ? REASONS.getString(loser.getKey()) : "not explained yet");
        String list = losers().entrySet().stream().map(line).collect(Collectors.joining());
        return list.isEmpty() ? "None.\n" : list;
    }
}
