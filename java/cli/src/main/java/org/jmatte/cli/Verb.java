package org.jmatte.cli;

import java.util.concurrent.Callable;

/**
 * A verb of the command line that another artifact brings: a class with picocli's {@code Command} annotation, registered
 * as a service of this type. Its result is the exit code.
 */
public interface Verb extends Callable<Integer> {}
