package org.jmatte.weights;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Damaged files give a {@link CheckpointException} or tensors, nothing else, within bounds of memory and time. */
@Timeout(120)
class CheckpointFuzzTest {
    private static final int INPUTS = 100_000;
    private static final long MOST_BYTES = 16 << 20; // per input; the largest mutant has some 10 KB
    private static final long[] LENGTHS = {
        0,
        1,
        -1,
        255,
        65535,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        0xFFFFFFFFL,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1L << 32
    };

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final FloatBuffer target = FloatBuffer.allocate(1 << 16);

    @Test
    void damagedSafetensors() {
        String plain = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                + "\"b.c\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}";
        String full = "{\"__metadata__\":{\"format\":\"pt\"},\"x\":{\"dtype\":\"F16\",\"shape\":[1,2,2],"
                + "\"data_offsets\":[8,16]},\"y\":{\"data_offsets\":[0,8],\"shape\":[],\"dtype\":\"I64\"},"
                + "\"z\":{\"dtype\":\"BOOL\",\"shape\":[0],\"data_offsets\":[16,16]}}   ";
        fuzz(List.of(Fixtures.safetensors(plain, 32), Fixtures.safetensors(full, 16)), 1);
    }

    @Test
    void damagedPyTorch() {
        fuzz(
                List.of(
                        Fixtures.bytes("state_dict.pth"),
                        Fixtures.bytes("wrapped.pth"),
                        Fixtures.bytes("legacy.pth"),
                        Fixtures.bytes("legacy.pth"),
                        Fixtures.bytes("malicious.pth"),
                        Fixtures.bytes("short_storage.pth")),
                2);
    }

    private void fuzz(List<byte[]> originals, long seed) {
        Random random = new Random(seed);
        int accepted = 0;
        for (int i = 0; i < INPUTS; i++) {
            byte[] input = mutant(originals, random);
            long before = threads.getCurrentThreadAllocatedBytes();
            try (Checkpoint checkpoint = Fixtures.open(input)) {
                for (TensorInfo info : checkpoint.tensors().values()) {
                    if (info.elements() <= target.capacity()) {
                        checkpoint.read(info.name(), target.clear());
                    }
                }
                accepted++;
            } catch (CheckpointException expected) {
                // most inputs
            } catch (RuntimeException | Error e) {
                throw new AssertionError("Input " + i + ": " + e + " for " + Arrays.toString(input), e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < MOST_BYTES, "Input " + i + " took " + allocated + " bytes");
        }
        // both outcomes are common, or the mutations would not reach the depths
        assertTrue(accepted > INPUTS / 50 && accepted < INPUTS * 9 / 10, accepted + " accepted");
    }

    private static byte[] mutant(List<byte[]> originals, Random random) {
        byte[] bytes = originals.get(random.nextInt(originals.size())).clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(bytes.length);
            // names, lengths and the pickle stand in the first part: look there twice as often
            at = random.nextBoolean() ? at % Math.min(bytes.length, 1500) : at;
            switch (random.nextInt(12)) {
                case 0 -> bytes = Arrays.copyOf(bytes, Math.max(at, 1));
                case 1 -> bytes = splice(bytes, at, originals.get(random.nextInt(originals.size())), random);
                case 2, 3, 4 -> lengthField(bytes, at, random);
                case 5, 6 -> bytes[at] = (byte) random.nextInt();
                default -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            }
        }
        return bytes;
    }

    /** Replaces some bytes by a piece of another file, of another length half the time. */
    private static byte[] splice(byte[] bytes, int at, byte[] other, Random random) {
        int from = random.nextInt(other.length);
        int inserted = Math.min(random.nextInt(40), other.length - from);
        int removed = random.nextBoolean() ? inserted : random.nextInt(40);
        int rest = Math.min(at + removed, bytes.length);
        byte[] result = new byte[at + inserted + bytes.length - rest];
        System.arraycopy(bytes, 0, result, 0, at);
        System.arraycopy(other, from, result, at, inserted);
        System.arraycopy(bytes, rest, result, at + inserted, bytes.length - rest);
        return result.length == 0 ? new byte[1] : result;
    }

    private static void lengthField(byte[] bytes, int at, Random random) {
        long value = LENGTHS[random.nextInt(LENGTHS.length)] + random.nextInt(5) - 2;
        byte[] field = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        int width = 1 << random.nextInt(4);
        System.arraycopy(field, 0, bytes, at, Math.min(width, bytes.length - at));
    }
}
