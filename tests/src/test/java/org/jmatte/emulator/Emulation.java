package org.jmatte.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.jmatte.bindings.emulator.Emulator;

/** Launches of the kernels in {@code native/emulator/faults}, all of which take two pointers and a count. */
final class Emulation {
    static final int[] ARCHITECTURES = {75, 80};

    private static final Path ROOT = root();
    static final Path FAULTS = ROOT.resolve("native/emulator/faults/faults.cu");

    private Emulation() {}

    /** Makes the kernels known, more than once without harm. */
    static void load() {
        Path libraries = ROOT.resolve("native/bindings/emulator/target/native/native/emulator");
        for (String name : List.of("faults", "faults_checked")) {
            String library =
                    libraries.resolve("libjmatte_emulator_" + name + ".so").toString();
            assertEquals(0, Emulator.load(library), Emulator::findings);
        }
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("native/emulator"))) folder = folder.getParent();
        return folder;
    }

    /** Device memory that holds 32-bit words. */
    record Words(long address, int length) implements AutoCloseable {
        static Words empty(int length) {
            long address = Emulator.allocate(4L * length);
            assertNotEquals(0, address);
            return new Words(address, length);
        }

        static Words of(int... values) {
            Words words = empty(values.length);
            words.set(0, values);
            return words;
        }

        static Words of(float... values) {
            int[] bits = new int[values.length];
            for (int i = 0; i < values.length; i++) bits[i] = Float.floatToRawIntBits(values[i]);
            return of(bits);
        }

        void set(int first, int... values) {
            try (BytePointer host = new BytePointer(4L * values.length)) {
                ints(host).put(values);
                assertEquals(
                        0,
                        Emulator.copy_to_device(address + 4L * first, host.address(), 4L * values.length),
                        Emulator::findings);
            }
        }

        int[] get() {
            int[] values = new int[length];
            try (BytePointer host = new BytePointer(4L * length)) {
                assertEquals(0, Emulator.copy_to_host(host.address(), address, 4L * length), Emulator::findings);
                ints(host).get(values);
            }
            return values;
        }

        private static IntBuffer ints(BytePointer host) {
            return host.asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        }

        @Override
        public void close() {
            assertEquals(0, Emulator.release(address), Emulator::findings);
        }
    }

    /** How to run a kernel. */
    record Run(int architecture, int blocks, long seed, boolean checking) {
        static {
            load();
        }

        Run(int architecture, boolean checking) {
            this(architecture, 1, 0, checking);
        }

        Run withBlocks(int blocks) {
            return new Run(architecture, blocks, seed, checking);
        }

        Run withSeed(long seed) {
            return new Run(architecture, blocks, seed, checking);
        }

        /** The findings. */
        List<String> launch(String kernel, long out, long in, int count) {
            int bytes = Emulator.kernel_parameter_bytes(kernel, architecture);
            try (BytePointer parameters = new BytePointer(24)) {
                ByteBuffer fields = parameters.asByteBuffer().order(ByteOrder.nativeOrder());
                fields.putLong(out).putLong(in).putInt(count);
                int findings = Emulator.launch(
                        kernel, architecture, blocks, 1, 1, parameters.address(), bytes, seed, checking);
                List<String> lines = Emulator.findings().lines().toList();
                assertEquals(findings, lines.size(), kernel);
                return lines;
            }
        }

        List<String> launch(String kernel, Words out, Words in, int count) {
            return launch(kernel, out.address(), in == null ? 0 : in.address(), count);
        }

        /** Runs a kernel in which nothing must be found. */
        void correct(String kernel, Words out, Words in, int count) {
            assertEquals(List.of(), launch(kernel, out, in, count), kernel + " " + this);
        }

        @Override
        public String toString() {
            return "sm_" + architecture + (checking ? " checked" : " quick") + ", " + blocks + " blocks, seed " + seed;
        }
    }
}
