package org.jmatte.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.Matting;
import org.jmatte.Plan;
import org.jmatte.network.Architecture;
import org.jmatte.weights.ModelSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte plan}: what a run would need. */
@Command(
        name = "plan",
        sortOptions = false,
        sortSynopsis = false,
        description = "Tell what a run needs in memory, arithmetic and traffic, without running it.")
final class PlanCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ExecutionOptions execution;

    @Option(names = "--size", required = true, paramLabel = "HxW", description = "Height and width of the photo.")
    private Size size;

    @Option(names = "--keep", paramLabel = "F", description = "Fraction of tokens that every router keeps, up to 1.")
    private Double keep;

    @Option(
            names = "--fit",
            paramLabel = "BYTES",
            converter = ByteCount.class,
            description = "Also tell what fits this much memory, such as 2GiB: the most tokens at this size, and the"
                    + " largest photo of this shape with the token cap as it is.")
    private Long fit;

    @Option(names = "--json", description = "Machine-readable output.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (ModelSource source = ModelSource.open(execution.model)) {
            Architecture network = source.architecture();
            Plan plan = Matting.plan(source, size.height(), size.width(), execution.options(keep, network));
            Fitting fitting = fit == null
                    ? null
                    : Fitting.search(
                            source, size, execution.options(keep, network).withMemoryBudget(fit));
            if (json) {
                out.println(Json.text(tree(plan, network.routed(), fitting)));
            } else {
                print(plan, network.routed(), out);
                if (fitting != null) {
                    out.println("fits    " + fitting.inWords(network.routed()));
                }
            }
        }
        return Main.DONE;
    }

    /** Without what this network does not have. */
    private static ObjectNode tree(Plan plan, boolean routed, Fitting fitting) {
        ObjectNode tree = Json.tree(plan);
        if (fitting != null) {
            tree.set("fit", Json.tree(fitting));
        }
        if (!routed) {
            tree.putNull("max_tokens");
        }
        if (plan.gmacs() == 0) {
            tree.putNull("gmacs").putNull("total_gmacs");
        }
        return tree;
    }

    private static void print(Plan plan, boolean routed, PrintWriter out) {
        int width =
                plan.stages().stream().mapToInt(stage -> stage.name().length()).reduce("total".length(), Math::max);
        String row = "%-" + width + "s  %12s  %12s  %12s%n";
        out.printf(row, "stage", "GFLOP", "MB moved", "arena MB");
        for (Plan.Stage stage : plan.stages()) {
            out.printf(row, stage.name(), giga(stage.flops()), mega(stage.movedBytes()), mega(stage.arenaBytes()));
        }
        out.printf(row, "total", giga(plan.flops()), mega(plan.movedBytes()), mega(plan.arenaBytes()));
        out.println();
        out.println("peak    " + mega(plan.peakBytes()) + " MB: weights " + mega(plan.weightsBytes()) + " MB, arena "
                + mega(plan.arenaBytes()) + " MB");
        out.println("images  " + mega(plan.imageBytes()) + " MB");
        if (routed) {
            out.println("tokens  at most " + plan.maxTokens() + " attend globally");
        }
        if (plan.gmacs() > 0) {
            out.printf(
                    Locale.ROOT,
                    "compute at most %d GMACs per 1024x1024 pixels, %.3f in all%n",
                    plan.gmacs(),
                    plan.totalGmacs());
        }
        out.printf(Locale.ROOT, "decoded %.3f times the padded photo's pixels%n", plan.decodedShare());
        out.println("tiling  " + plan.tiling());
    }

    private static String giga(long count) {
        return String.format(Locale.ROOT, "%.3f", count * 1e-9);
    }

    private static String mega(long bytes) {
        return String.format(Locale.ROOT, "%.3f", bytes * 1e-6);
    }
}
