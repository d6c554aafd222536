package org.jmatte.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceBuffer;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.Tensor;

/** Tensors of random numbers, the same in every run; closing gives their memory back. */
final class Inputs implements AutoCloseable {
    /** Numbers that are drawn; larger tensors repeat them, which no kernel and no cache knows. */
    private static final int DRAWN_BYTES = 1 << 20;

    private final Device device;
    private final List<DeviceBuffer> buffers = new ArrayList<>();
    private final SplittableRandom random = new SplittableRandom(1);

    Inputs(Device device) {
        this.device = device;
    }

    Device device() {
        return device;
    }

    /** A tensor that is yet to be written. */
    Tensor empty(ElementType type, long... shape) {
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        DeviceBuffer buffer = device.allocate(elements * type.bytes());
        buffers.add(buffer);
        return buffer.tensor(type, shape);
    }

    /** Activations: between -1 and 1; of integer types any bits. */
    Tensor random(ElementType type, long... shape) {
        return scaled(type, 1, shape);
    }

    /** Weights [.., K], such that a product with {@link #random} activations has their size again. */
    Tensor weights(ElementType type, long inputs, long... shape) {
        return scaled(type, (float) Math.sqrt(3.0 / inputs), shape);
    }

    /** A map of random numbers. */
    FeatureMap map(ElementType type, long height, long width, long channels) {
        return FeatureMap.of(random(type, height, width, channels));
    }

    /** Between -scale and scale. */
    private Tensor scaled(ElementType type, float scale, long... shape) {
        Tensor tensor = empty(type, shape);
        int drawn = (int) Math.min(tensor.bytes(), DRAWN_BYTES);
        ByteBuffer numbers = ByteBuffer.allocateDirect(drawn).order(ByteOrder.nativeOrder());
        while (numbers.hasRemaining()) {
            float value = (random.nextInt(1 << 24) - (1 << 23)) * 0x1p-23f * scale;
            switch (type) {
                case FP32 -> numbers.putFloat(value);
                case FP16 -> numbers.putShort(toHalf(value));
                case BF16 -> numbers.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                case U16 -> numbers.putShort((short) random.nextInt());
                case I32 -> numbers.putInt(random.nextInt());
                default -> numbers.put((byte) random.nextInt());
            }
        }
        write(tensor, numbers.flip());
        return tensor;
    }

    /** The numbers, and again until the tensor is full. */
    private void write(Tensor tensor, ByteBuffer numbers) {
        long bytes = numbers.remaining();
        device.copyToDevice(tensor.pointer(), numbers, device.defaultStream());
        for (long at = bytes; at < tensor.bytes(); at += bytes) {
            long some = Math.min(bytes, tensor.bytes() - at);
            device.copy(tensor.pointer() + at, tensor.pointer(), some, device.defaultStream());
        }
        device.synchronize();
    }

    /** [values] i32. */
    Tensor integers(int... values) {
        Tensor tensor = empty(ElementType.I32, values.length);
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(values);
        write(tensor, bytes);
        return tensor;
    }

    /** Rounds towards zero; of magnitudes below 2^-14 zero is left. */
    private static short toHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int exponent = (bits >>> 23 & 0xff) - 127 + 15;
        int sign = bits >>> 16 & 0x8000;
        return (short) (exponent <= 0 ? sign : sign | exponent << 10 | bits >>> 13 & 0x3ff);
    }

    @Override
    public void close() {
        buffers.forEach(DeviceBuffer::close);
        buffers.clear();
    }
}
