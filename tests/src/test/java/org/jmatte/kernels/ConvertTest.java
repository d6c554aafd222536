package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ConvertTest {
    private static final int BIT = 4;

    /** Numbers of all magnitudes, and what is none. */
    private static float[] values(int count) {
        float[] values = TestMap.uniform(FP32, count, 1, 1);
        for (int i = 0; i < count; i++) {
            values[i] = Math.scalb(values[i], i % 45 - 30);
        }
        return values;
    }

    /** Converts and returns the flag. */
    private static int check(Device device, ElementType from, ElementType to, float[] values, int offset) {
        try (TestTensor in = TestTensor.at(device, offset, from, values, values.length);
                TestTensor out = TestTensor.at(device, offset, to, new float[values.length], values.length);
                DeviceBuffer flag = device.allocate(I32.bytes())) {
            device.fill(flag.pointer(), (byte) 0, flag.bytes(), device.defaultStream());
            Convert.run(device, out.tensor(), in.tensor(), flag.tensor(I32, 1), BIT, device.defaultStream());
            assertArrayEquals(TestTensor.round(to, TestTensor.round(from, values)), out.read());
            ByteBuffer bits = ByteBuffer.allocate(I32.bytes()).order(ByteOrder.nativeOrder());
            device.copyToHost(bits, flag.pointer(), device.defaultStream());
            return bits.getInt(0);
        }
    }

    @DeviceTest
    void anySizeAndAlignment(Device device) {
        for (int count : new int[] {1, 7, 8, 2047, 2048, 5001}) {
            for (int offset : new int[] {0, 4}) {
                assertEquals(0, check(device, FP32, FP16, values(count), offset));
                assertEquals(0, check(device, FP16, FP32, values(count), offset));
                if (device.architecture() >= 80) {
                    assertEquals(0, check(device, FP32, BF16, values(count), offset));
                }
            }
        }
    }

    @DeviceTest
    void whatIsNotFiniteSetsTheFlag(Device device) {
        for (float value : new float[] {65520, -65520, Float.NaN, Float.NEGATIVE_INFINITY}) {
            float[] values = values(300);
            values[211] = value;
            assertEquals(BIT, check(device, FP32, FP16, values, 0), Float.toString(value));
        }
        float[] largest = {65519, -65519};
        assertEquals(0, check(device, FP32, FP16, largest, 0));
    }

    @Test
    void argumentsAreChecked() {
        try (Device device = TestDevices.emulated(75, false);
                DeviceBuffer memory = device.allocate(4096)) {
            Tensor floats = memory.tensor(FP32, 8);
            assertRefused(device, memory.tensorAt(1024, FP32, 8), floats, "convert: out: expected fp16 or bf16");
            assertRefused(device, memory.tensorAt(1024, FP16, 7), floats, "convert: out: expected in's shape = [8]");
            assertRefused(
                    device, memory.tensorAt(1024, BF16, 8), floats, "convert: out: expected fp16 or fp32 on a card");
            assertRefused(device, memory.tensor(FP16, 8), floats, "convert: out: expected memory apart from in's");
            assertRefused(device, floats, memory.tensorAt(1024, BF16, 8), "convert: in: expected fp32 or fp16");
        }
    }

    private static void assertRefused(Device device, Tensor out, Tensor in, String message) {
        String got = assertThrows(
                        InvalidArgumentException.class, () -> Convert.run(device, out, in, device.defaultStream()))
                .getMessage();
        assertEquals(message, got.substring(0, Math.min(message.length(), got.length())));
    }
}
