package org.jmatte.kernels;

/** An argument was refused before anything ran: the message has its name, what was expected and what came. */
public class InvalidArgumentException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    public InvalidArgumentException(String message) {
        super(message);
    }

    public InvalidArgumentException(String message, Throwable cause) {
        super(message, cause);
    }
}
