package org.jmatte.train;

import java.util.List;
import org.jmatte.cli.Verb;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code jmatte train}: a verb per network, and one for the images. */
@Command(
        name = "train",
        description = "Train a network on libtorch, or write training images.",
        subcommands = {PamCommand.class, MeMatteCommand.class, GenerateCommand.class})
public final class TrainCommand implements Verb {
    static {
        // JavaCPP would refuse tensors once the process is larger than twice the Java heap's limit. It reads these
        // when it is loaded.
        for (String limit : List.of("org.bytedeco.javacpp.maxBytes", "org.bytedeco.javacpp.maxPhysicalBytes")) {
            if (System.getProperty(limit) == null) {
                System.setProperty(limit, "0");
            }
        }
    }

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "what to do is missing: pam, mematte or generate");
    }
}
