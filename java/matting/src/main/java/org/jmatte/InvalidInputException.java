package org.jmatte;

/**
 * Something the caller gave cannot be used: the message names the argument or file, what was expected, what came, and
 * what to do.
 */
public class InvalidInputException extends IllegalArgumentException {
    public InvalidInputException(String message) {
        super(message);
    }

    public InvalidInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
