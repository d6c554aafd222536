package org.jmatte.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.jmatte.emulator.Emulation.Run;
import org.jmatte.emulator.Emulation.Words;
import org.junit.jupiter.api.Test;

/** load_matrix and mma against the tables of the PTX manual, sections ldmatrix, mma.m16n8k8 and mma.m16n8k16. */
class MatrixUnitsTest {
    private static final int ONE = 0x3c00; // as a half

    @Test
    void loadMatrixDistributesRows() {
        for (int count : new int[] {1, 2, 4})
            for (boolean transposed : new boolean[] {false, true}) {
                int[] elements = new int[32 * count]; // two per word: element i is i
                for (int i = 0; i < elements.length; i++) elements[i] = 2 * i | (2 * i + 1) << 16;
                int[] expected = new int[32 * count];
                for (int lane = 0; lane < 32; lane++)
                    for (int i = 0; i < count; i++) {
                        int at = lane / 4;
                        int pair = 2 * (lane % 4);
                        int low = transposed ? 8 * pair + at : 8 * at + pair;
                        int high = transposed ? 8 * (pair + 1) + at : 8 * at + pair + 1;
                        expected[count * lane + i] = 64 * i + low | (64 * i + high) << 16;
                    }
                String kernel = "load_matrix_" + (transposed ? "transposed_" : "") + count;
                for (int architecture : Emulation.ARCHITECTURES)
                    for (boolean checking : new boolean[] {false, true})
                        try (Words in = Words.of(elements);
                                Words out = Words.empty(expected.length)) {
                            new Run(architecture, checking).correct(kernel, out, in, 0);
                            assertArrayEquals(expected, out.get(), kernel);
                        }
            }
    }

    @Test
    void loadMatrixRefusesMisalignedRows() {
        for (int architecture : Emulation.ARCHITECTURES)
            for (boolean checking : new boolean[] {false, true})
                try (Words out = Words.empty(32)) {
                    List<String> findings =
                            new Run(architecture, checking).launch("load_matrix_misaligned", out, null, 0);
                    assertEquals(1, findings.size());
                    assertTrue(findings.get(0).startsWith("misaligned: load_matrix_misaligned"), findings.get(0));
                }
    }

    /** Registers of all lanes that hold matrices, with the manual's formulas for element i of a lane. */
    private static final class Fragments {
        final int k;
        final int mt;
        final int nt;
        final int[] words;

        Fragments(int k, int mt, int nt) {
            this.k = k;
            this.mt = mt;
            this.nt = nt;
            words = new int[32 * (mt * k / 4 + nt * k / 8)];
        }

        void setA(int row, int column, int half) {
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < k / 2; i++) {
                    int group = lane / 4;
                    boolean upper = k == 8 ? i < 2 : i < 2 || i >= 4 && i < 6;
                    int r = upper ? group : group + 8;
                    int c = lane % 4 * 2 + (i & 1) + (k == 16 && i >= 4 ? 8 : 0);
                    if (r == row % 16 && c == column) put((lane * mt + row / 16) * (k / 4) + i / 2, i, half);
                }
        }

        void setB(int row, int column, int half) {
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < k / 4; i++) {
                    int r = lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0);
                    int c = lane / 4;
                    if (r == row && c == column % 8)
                        put(32 * mt * k / 4 + (lane * nt + column / 8) * (k / 8) + i / 2, i, half);
                }
        }

        private void put(int word, int i, int half) {
            words[word] = words[word] & (i % 2 == 0 ? 0xffff0000 : 0xffff) | half << (i % 2 == 0 ? 0 : 16);
        }

        /** Where an element of the sums is. */
        int sum(int row, int column) {
            int lane = row % 8 * 4 + column % 8 / 2;
            int i = column % 2 + (row % 16 >= 8 ? 2 : 0);
            return ((lane * mt + row / 16) * nt + column / 8) * 4 + i;
        }
    }

    private static float[] multiply(String kernel, int architecture, boolean checking, Fragments ab, float[] sums) {
        try (Words in = Words.of(ab.words);
                Words out = Words.of(sums)) {
            new Run(architecture, checking).correct(kernel, out, in, 0);
            int[] bits = out.get();
            float[] results = new float[bits.length];
            for (int i = 0; i < bits.length; i++) results[i] = Float.intBitsToFloat(bits[i]);
            return results;
        }
    }

    private static int k(int architecture) {
        return architecture >= 80 ? 16 : 8;
    }

    /** A one in A(row, k) and in B(k, column) gives a one in D(row, column) alone. */
    @Test
    void oneHotMatricesMeetWhereTheTablesSay() {
        for (int architecture : Emulation.ARCHITECTURES) {
            int k = k(architecture);
            for (int row = 0; row < 16; row++)
                for (int inner = 0; inner < k; inner++)
                    for (int column = 0; column < 8; column++) {
                        Fragments ab = new Fragments(k, 1, 1);
                        ab.setA(row, inner, ONE);
                        ab.setB(inner, column, ONE);
                        float[] expected = new float[128];
                        expected[ab.sum(row, column)] = 1;
                        boolean checking = (row + inner + column) % 8 == 0;
                        assertArrayEquals(
                                expected,
                                multiply("multiply_half_1x1", architecture, checking, ab, new float[128]),
                                "row " + row + ", k " + inner + ", column " + column);
                    }
        }
    }

    /** Several tiles of random numbers: exact products, added one after the other to what is there. */
    @Test
    void sumsAreTakenInOrderOfK() {
        int rows = 48;
        int columns = 16;
        for (int architecture : Emulation.ARCHITECTURES) {
            int k = k(architecture);
            Random random = new Random(5);
            Fragments ab = new Fragments(k, 3, 2);
            float[][] a = new float[rows][k];
            float[][] b = new float[k][columns];
            for (int row = 0; row < rows; row++)
                for (int inner = 0; inner < k; inner++) ab.setA(row, inner, random(random, a[row], inner));
            for (int inner = 0; inner < k; inner++)
                for (int column = 0; column < columns; column++)
                    ab.setB(inner, column, random(random, b[inner], column));
            float[] sums = new float[rows * columns];
            float[] expected = new float[rows * columns];
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < columns; column++) {
                    float sum = random.nextFloat();
                    sums[ab.sum(row, column)] = sum;
                    for (int inner = 0; inner < k; inner++) sum += a[row][inner] * b[inner][column];
                    expected[ab.sum(row, column)] = sum;
                }
            for (boolean checking : new boolean[] {false, true})
                assertArrayEquals(expected, multiply("multiply_half_3x2", architecture, checking, ab, sums));
        }
    }

    /** A number between 1 and 2 with ten bits; puts it into the array and answers the half's bits. */
    private static int random(Random random, float[] values, int index) {
        int fraction = random.nextInt(1024);
        boolean negative = random.nextBoolean();
        values[index] = (negative ? -1 : 1) * (1 + fraction / 1024f);
        return (negative ? 0x8000 : 0) | ONE | fraction;
    }
}
