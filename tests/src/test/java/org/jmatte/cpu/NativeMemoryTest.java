package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jmatte.InvalidInputException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeMemoryTest {
    @ParameterizedTest
    @CsvSource({"FP32, 536870912", "BF16, 1073741824"})
    void whatNoBufferHoldsIsRefusedToAListener(ElementType type, long count) {
        String message = assertThrows(InvalidInputException.class, () -> NativeMemory.floats(64, count, type))
                .getMessage();
        assertTrue(message.contains("at most 2 GiB") && message.contains("got 2147483648 bytes"), message);
    }
}
