package org.jmatte.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jmatte.bindings.emulator.Emulator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The machine code in the jar, where it was built with nvcc: every entry point is there for every architecture, and nvcc
 * gave it the threads, shared memory and parameters that the emulator's compiler gave it.
 */
class MachineCodeTest {
    /** Nearest architecture that the emulator has, by that of the machine code. */
    private static int emulated(int architecture) {
        return architecture < 80 ? 75 : 80;
    }

    @BeforeEach
    void needsMachineCode() {
        assumeTrue(KernelFiles.fatBinary("layer_norm") != null, "built without nvcc");
        assumeTrue(System.getProperty("skipCuda") == null, "with -DskipCuda it may be older than the sources");
    }

    @Test
    void everyKernelIsThereAsTheEmulatorHasIt() {
        Map<String, List<Image>> images = new HashMap<>();
        Set<String> differences = new TreeSet<>();
        for (int i = 0; i < Emulator.kernels(80); i++) {
            String kernel = Emulator.kernel_name(80, i);
            String operator = KernelFilesTest.operator(kernel);
            List<Image> all = images.computeIfAbsent(operator, name -> Image.all(KernelFiles.fatBinary(name)));
            if (all.isEmpty()) {
                differences.add(kernel + ": no machine code");
            }
            for (Image image : all) {
                int architecture = emulated(image.architecture());
                List<Integer> expected = List.of(
                        Emulator.kernel_threads(kernel, architecture),
                        Emulator.kernel_shared_bytes(kernel, architecture),
                        Emulator.kernel_parameter_bytes(kernel, architecture));
                List<Integer> got = image.launchNumbers(kernel);
                if (!image.hasEntry(kernel) || !expected.equals(got)) {
                    differences.add(
                            kernel + " for sm_" + image.architecture() + ": expected " + expected + ", got " + got);
                }
            }
        }
        assertEquals(Set.of(), differences);
    }

    @Test
    void allOperatorsHaveTheSameArchitectures() {
        Map<String, List<Integer>> architectures = new HashMap<>();
        for (int i = 0; i < Emulator.kernels(80); i++) {
            String operator = KernelFilesTest.operator(Emulator.kernel_name(80, i));
            architectures.computeIfAbsent(operator, name -> Image.all(KernelFiles.fatBinary(name)).stream()
                    .map(Image::architecture)
                    .sorted()
                    .toList());
        }
        assertEquals(1, Set.copyOf(architectures.values()).size(), architectures.toString());
    }

    @Test
    void theCompilerIsNamed() {
        assertTrue(KernelFiles.cudaVersion().matches("\\d+\\.\\d+"), KernelFiles.cudaVersion());
    }

    /** One architecture's machine code: an ELF file within the fat binary. */
    private record Image(ByteBuffer file) {
        private static final int ELF = 0x464c457f;
        private static final int SECTION_BYTES = 64;
        private static final int SYMBOL_BYTES = 24;
        private static final int SYMBOLS = 2; // section type

        static List<Image> all(byte[] fatBinary) {
            List<Image> images = new ArrayList<>();
            if (fatBinary == null) {
                return images;
            }
            ByteBuffer whole = ByteBuffer.wrap(fatBinary).order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at + 4 <= fatBinary.length; at += 4) {
                if (whole.getInt(at) == ELF) {
                    images.add(new Image(whole.slice(at, fatBinary.length - at).order(ByteOrder.LITTLE_ENDIAN)));
                }
            }
            return images;
        }

        int architecture() {
            int flags = file.getInt(48);
            boolean sinceCuda13 = file.get(8) >= 8;
            return (sinceCuda13 ? flags >> 8 : flags) & 0xff;
        }

        private int section(int number) {
            return Math.toIntExact(file.getLong(40)) + number * SECTION_BYTES;
        }

        private int offset(int section) {
            return Math.toIntExact(file.getLong(section + 24));
        }

        /** Where the symbol's entry is, -1 if there is none. */
        private int symbol(String name) {
            for (int i = 0; i < file.getShort(60); i++) {
                int section = section(i);
                if (file.getInt(section + 4) != SYMBOLS) {
                    continue;
                }
                int names = offset(section(file.getInt(section + 40)));
                int end = offset(section) + Math.toIntExact(file.getLong(section + 32));
                for (int at = offset(section); at < end; at += SYMBOL_BYTES) {
                    if (name.equals(text(names + file.getInt(at)))) {
                        return at;
                    }
                }
            }
            return -1;
        }

        private String text(int at) {
            int length = 0;
            while (file.get(at + length) != 0) {
                length++;
            }
            byte[] bytes = new byte[length];
            file.get(at, bytes);
            return new String(bytes, StandardCharsets.US_ASCII);
        }

        boolean hasEntry(String kernel) {
            int symbol = symbol(kernel);
            return symbol >= 0 && file.get(symbol + 4) >> 4 == 1;
        }

        /** Threads, bytes of shared memory, bytes of parameters; null without them. */
        List<Integer> launchNumbers(String kernel) {
            int symbol = symbol(kernel + "_launch");
            if (symbol < 0) {
                return null;
            }
            int at = offset(section(file.getShort(symbol + 6))) + Math.toIntExact(file.getLong(symbol + 8));
            return List.of(file.getInt(at), file.getInt(at + 4), file.getInt(at + 8));
        }
    }
}
