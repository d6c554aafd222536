package org.jmatte.weights;

import org.jmatte.InvalidInputException;

/** A checkpoint that cannot be used: the message names the file, what was expected, what came, and what to do. */
public final class CheckpointException extends InvalidInputException {
    private static final int LONGEST_MESSAGE = 6000;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Says all four in one line; text from the file may be part of it, so it is kept short and printable. */
    static CheckpointException of(String file, String expected, String found, String remedy) {
        String message = file + ": expected " + expected + ", found " + found + ". " + remedy;
        if (message.length() > LONGEST_MESSAGE) {
            message = message.substring(0, LONGEST_MESSAGE) + "...";
        }
        return new CheckpointException(message.replaceAll("\\p{Cntrl}", "?"));
    }
}
