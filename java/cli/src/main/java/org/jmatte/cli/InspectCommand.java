package org.jmatte.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jmatte.weights.ModelSource;
import org.jmatte.weights.TensorInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code jmatte inspect}: what a checkpoint holds. */
@Command(name = "inspect", description = "Tell what a model is, and the names and shapes of its parameters.")
final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = "A .pth or .safetensors file, a Hugging Face folder, box:NAME or seeded:NAME[:SEED].")
    private String model;

    @Option(names = "--json", description = "Machine-readable output.")
    private boolean json;

    /**
     * What is told.
     *
     * @param architecture the network's name
     * @param origin whose conventions the weights follow
     * @param file where they are, or the seed that they are made from
     * @param parameters elements of all tensors, the statistics of batch normalisation included
     * @param tensors in the file's order
     */
    private record Summary(
            String architecture, String origin, String file, long parameters, List<TensorSummary> tensors) {}

    private record TensorSummary(String name, String type, long[] shape) {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Summary summary = summarize();
        if (json) {
            out.println(Json.text(summary));
            return Main.DONE;
        }
        out.println("architecture  " + summary.architecture());
        out.println("origin        " + summary.origin());
        out.println("file          " + summary.file());
        out.printf(
                Locale.ROOT,
                "parameters    %,d in %d tensors%n%n",
                summary.parameters(),
                summary.tensors().size());
        int width = summary.tensors().stream()
                .mapToInt(tensor -> tensor.name().length())
                .max()
                .orElse(1);
        for (TensorSummary tensor : summary.tensors()) {
            out.printf("%-" + width + "s  %-4s  %s%n", tensor.name(), tensor.type(), Arrays.toString(tensor.shape()));
        }
        return Main.DONE;
    }

    private Summary summarize() {
        try (ModelSource source = ModelSource.open(model)) {
            Collection<TensorInfo> tensors = source.checkpoint().tensors().values();
            return new Summary(
                    source.architecture().name(),
                    Main.word(source.origin()),
                    source.checkpoint().description(),
                    tensors.stream().mapToLong(TensorInfo::elements).sum(),
                    tensors.stream()
                            .map(tensor -> new TensorSummary(tensor.name(), Main.word(tensor.type()), tensor.shape()))
                            .toList());
        }
    }
}
