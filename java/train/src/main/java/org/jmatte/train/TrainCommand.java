package org.jmatte.train;

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
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "what to do is missing: pam, mematte or generate");
    }
}
