package org.jmatte.kernels;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Checks of a wrapper's arguments. All messages read {@code <operator>: <argument>: expected <...>, got <...>}.
 */
final class Arguments {
    /** A size that {@link #shape} takes as it comes. */
    static final long ANY = -1;

    private Arguments() {}

    /** Refuses the argument unless the condition holds. */
    static void check(boolean condition, String operator, String argument, String expected, Object got) {
        if (!condition) {
            throw refused(operator, argument, expected, got);
        }
    }

    static <T> T notNull(String operator, String argument, T value) {
        if (value == null) {
            throw refused(operator, argument, "a value", "null");
        }
        return value;
    }

    /** The tensor's type must be one of those allowed. */
    static void type(String operator, String argument, Tensor tensor, ElementType... allowed) {
        notNull(operator, argument, tensor);
        for (ElementType type : allowed) {
            if (tensor.type() == type) {
                return;
            }
        }
        String expected = Arrays.stream(allowed).map(ElementType::suffix).collect(Collectors.joining(" or "));
        throw refused(operator, argument, expected, tensor);
    }

    /**
     * The tensor's shape must be as given.
     *
     * @param names how the shape is written in the operator's documentation, such as {@code "[M, 64]"}
     * @param sizes the expected sizes, or {@link #ANY}
     */
    static void shape(String operator, String argument, Tensor tensor, String names, long... sizes) {
        notNull(operator, argument, tensor);
        if (!fits(tensor, sizes)) {
            throw refused(operator, argument, expectedShape(names, sizes), tensor);
        }
    }

    /** Type and shape together. */
    static void tensor(String operator, String argument, Tensor tensor, ElementType type, String names, long... sizes) {
        notNull(operator, argument, tensor);
        if (tensor.type() != type || !fits(tensor, sizes)) {
            throw refused(operator, argument, expectedShape(names, sizes) + " " + type, tensor);
        }
    }

    private static boolean fits(Tensor tensor, long[] sizes) {
        if (tensor.axes() != sizes.length) {
            return false;
        }
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] != ANY && sizes[i] != tensor.size(i)) {
                return false;
            }
        }
        return true;
    }

    /** The names, followed by the numbers where they say more: {@code [M, 64] = [989, 64]}. */
    private static String expectedShape(String names, long[] sizes) {
        String numbers = Arrays.stream(sizes)
                .mapToObj(size -> size == ANY ? "*" : Long.toString(size))
                .collect(Collectors.joining(", ", "[", "]"));
        boolean allAny = Arrays.stream(sizes).allMatch(size -> size == ANY);
        return allAny || names.equals(numbers) ? names : names + " = " + numbers;
    }

    /** The tensor must start at a multiple of {@code bytes}; one without elements may start anywhere. */
    static void aligned(String operator, String argument, Tensor tensor, int bytes) {
        notNull(operator, argument, tensor);
        if (tensor.elements() > 0 && tensor.pointer() % bytes != 0) {
            throw refused(
                    operator,
                    argument,
                    "an address that is a multiple of " + bytes,
                    "0x" + Long.toHexString(tensor.pointer()));
        }
    }

    /** The tensor, or null, must start at a multiple of so many elements. */
    static void packed(String operator, String argument, Tensor tensor, int elements) {
        if (tensor != null) {
            aligned(operator, argument, tensor, elements * tensor.type().bytes());
        }
    }

    static void range(String operator, String argument, long value, long least, long most) {
        if (value < least || value > most) {
            throw refused(operator, argument, least + " to " + most, value);
        }
    }

    /** bf16 needs a card from sm_80. */
    static void supported(String operator, String argument, Tensor tensor, Device device) {
        notNull(operator, argument, tensor);
        if (tensor.type() == ElementType.BF16 && device.architecture() < 80) {
            throw refused(
                    operator,
                    argument,
                    "fp16 or fp32 on a card before sm_80 (" + device.name() + " is sm_" + device.architecture() + ")",
                    tensor);
        }
    }

    /** The two tensors must not share memory. */
    static void distinct(String operator, String argument, Tensor tensor, String other, Tensor otherTensor) {
        if (tensor.pointer() < otherTensor.pointer() + otherTensor.bytes()
                && otherTensor.pointer() < tensor.pointer() + tensor.bytes()) {
            throw refused(operator, argument, "memory apart from " + other + "'s", "memory that overlaps it");
        }
    }

    static InvalidArgumentException refused(String operator, String argument, String expected, Object got) {
        return new InvalidArgumentException(operator + ": " + argument + ": expected " + expected + ", got " + got);
    }
}
