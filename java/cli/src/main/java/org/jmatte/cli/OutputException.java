package org.jmatte.cli;

/** A result could not be written, although its place had looked well. */
final class OutputException extends RuntimeException {
    OutputException(String message, Throwable cause) {
        super(message, cause);
    }
}
