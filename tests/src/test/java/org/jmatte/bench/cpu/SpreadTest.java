package org.jmatte.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void medianLiesBetween() {
        assertEquals("2.00 (1.00 to 30.0)", Spread.of(List.of(30.0, 1.0, 2.0)).toString());
        assertEquals("1.50 (1.00 to 2.00)", Spread.of(List.of(2.0, 1.0)).toString());
        assertEquals("0.050 (0.050 to 0.050)", Spread.of(List.of(0.05)).toString());
        assertEquals("1234", Spread.number(1234.4));
    }
}
