package org.jmatte.train;

import org.jmatte.cli.Verb;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code jmatte train}: one verb per network. */
@Command(
        name = "train",
        description = "Train a network on libtorch.",
        subcommands = {PamCommand.class})
public final class TrainCommand implements Verb {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a network is missing: pam");
    }
}
