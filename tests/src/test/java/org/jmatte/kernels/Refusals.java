package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;

/** What is said of bad arguments. */
final class Refusals {
    private Refusals() {}

    /** The message with which the call is refused. */
    static String refusal(Executable call) {
        return assertThrows(InvalidArgumentException.class, call).getMessage();
    }

    static void assertRefused(String message, Executable call) {
        assertEquals(message, refusal(call));
    }
}
