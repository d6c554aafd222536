package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.StringJoiner;

/**
 * The parameter struct of a kernel, written field by field in the struct's order. Each field is aligned to its own size
 * and the whole to its largest field, as C++ does, so the bytes are those of the struct; the launch compares the size
 * with what the kernel was compiled with.
 */
public final class ParameterBlock {
    /** What CUDA takes on every supported card. */
    public static final int MAX_BYTES = 4096;

    private static final byte POINTER = 0;
    private static final byte INTEGER64 = 1;
    private static final byte INTEGER32 = 2;
    private static final byte FLOAT32 = 3;

    private ByteBuffer bytes = ByteBuffer.allocate(128).order(ByteOrder.nativeOrder());
    private byte[] kinds = new byte[32];
    private int fields;
    private int alignment = 1;

    private ParameterBlock() {}

    public static ParameterBlock create() {
        return new ParameterBlock();
    }

    /** A device address. */
    public ParameterBlock pointer(long address) {
        field(POINTER, 8).putLong(address);
        return this;
    }

    /** The address of a tensor's first element; 0 for null. */
    public ParameterBlock pointer(Tensor tensor) {
        return pointer(tensor == null ? 0 : tensor.pointer());
    }

    public ParameterBlock integer64(long value) {
        field(INTEGER64, 8).putLong(value);
        return this;
    }

    public ParameterBlock integer32(int value) {
        field(INTEGER32, 4).putInt(value);
        return this;
    }

    /** An {@code int} field from a size that was computed as long. */
    public ParameterBlock integer32(long value) {
        return integer32(Math.toIntExact(value));
    }

    public ParameterBlock float32(float value) {
        field(FLOAT32, 4).putFloat(value);
        return this;
    }

    /** What the kernels' structs have of a map beside its address. */
    ParameterBlock sizes(FeatureMap map) {
        return integer32(map.height())
                .integer32(map.width())
                .integer32(map.ring())
                .integer32(map.pitch());
    }

    /** The part that is wanted of an output of this height and width: rows, and the number of blocks of columns. */
    ParameterBlock wanted(MapOptions o, int height, int width) {
        return integer32(o.from()).integer32(o.to(height)).integer32(o.columnBlocks(width));
    }

    ParameterBlock activation(Activation activation, float slope) {
        return integer32(activation.ordinal()).float32(slope);
    }

    private ByteBuffer field(byte kind, int size) {
        int at = alignUp(bytes.position(), size);
        if (at + size > MAX_BYTES) {
            throw new InvalidArgumentException(
                    "parameters: expected at most " + MAX_BYTES + " bytes, got more with field " + (fields + 1));
        }
        if (at + size > bytes.capacity()) {
            ByteBuffer larger = ByteBuffer.allocate(2 * bytes.capacity()).order(ByteOrder.nativeOrder());
            bytes = larger.put(bytes.flip());
        }
        if (fields == kinds.length) {
            kinds = Arrays.copyOf(kinds, 2 * fields);
        }
        kinds[fields++] = kind;
        alignment = Math.max(alignment, size);
        return bytes.position(at);
    }

    private static int alignUp(int value, int to) {
        return (value + to - 1) / to * to;
    }

    /** The struct's size, padding at the end included. */
    public int size() {
        return alignUp(bytes.position(), alignment);
    }

    /** The struct, in the machine's byte order. */
    public ByteBuffer bytes() {
        return bytes.duplicate()
                .limit(Math.min(size(), bytes.capacity()))
                .position(0)
                .asReadOnlyBuffer()
                .order(ByteOrder.nativeOrder());
    }

    /** The fields' values in order: what a message about a launch shows of its tensors and sizes. */
    @Override
    public String toString() {
        StringJoiner all = new StringJoiner(", ");
        int at = 0;
        for (int i = 0; i < fields; i++) {
            int size = kinds[i] <= INTEGER64 ? 8 : 4;
            at = alignUp(at, size);
            all.add(
                    switch (kinds[i]) {
                        case POINTER -> "0x" + Long.toHexString(bytes.getLong(at));
                        case INTEGER64 -> Long.toString(bytes.getLong(at));
                        case INTEGER32 -> Integer.toString(bytes.getInt(at));
                        default -> Float.toString(bytes.getFloat(at));
                    });
            at += size;
        }
        return all.toString();
    }
}
