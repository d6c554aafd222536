package org.jmatte.kernels;

import static org.jmatte.kernels.Refusals.refusal;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** What every device does. */
class DeviceContractTest {
    static byte[] random(int bytes) {
        byte[] values = new byte[bytes];
        new Random(bytes).nextBytes(values);
        return values;
    }

    static byte[] read(Device device, long pointer, int bytes) {
        byte[] values = new byte[bytes];
        device.copyToHost(ByteBuffer.wrap(values), pointer, device.defaultStream());
        return values;
    }

    @DeviceTest
    void saysWhatItIs(Device device) {
        assertTrue(device.architecture() >= 75);
        assertTrue(device.multiprocessors() >= 1);
        assertFalse(device.name().isBlank());
        assertTrue(device.totalBytes() > 0);
        assertTrue(device.freeBytes() > 0 && device.freeBytes() <= device.totalBytes());
    }

    @DeviceTest
    void buffersAreAlignedAndApart(Device device) {
        try (DeviceBuffer a = device.allocate(1);
                DeviceBuffer b = device.allocate(1000);
                DeviceBuffer none = device.allocate(0)) {
            assertEquals(0, a.pointer() % 256);
            assertEquals(0, b.pointer() % 256);
            assertNotEquals(0, none.pointer());
            assertTrue(Math.abs(a.pointer() - b.pointer()) >= 256);
            assertEquals(1000, b.bytes());
            assertEquals("[5, 50] fp32", b.tensor(ElementType.FP32, 5, 50).toString());
            assertEquals(b.pointer() + 8, b.tensorAt(8, ElementType.FP32, 3).pointer());
            assertEquals(
                    "device buffer: shape: expected at most 1000 bytes, got [251] fp32, 1004 bytes",
                    refusal(() -> b.tensor(ElementType.FP32, 251)));
            assertEquals(
                    "device buffer: shape: expected at most 1000 bytes, got [250] fp32 at offset 4, 1000 bytes",
                    refusal(() -> b.tensorAt(4, ElementType.FP32, 250)));
            assertEquals("allocate: bytes: expected a number from 0, got -1", refusal(() -> device.allocate(-1)));
        }
    }

    @DeviceTest
    void aClosedBufferIsNoTensor(Device device) {
        DeviceBuffer buffer = device.allocate(16);
        buffer.close();
        buffer.close();
        assertThrows(IllegalStateException.class, () -> buffer.tensor(ElementType.U8, 1));
        HostBuffer host = device.allocateHost(16);
        host.close();
        host.close();
        assertThrows(IllegalStateException.class, host::buffer);
    }

    /** What is captured is not done, and then done at every launch, with what is in memory by then. */
    @DeviceTest
    void capturedWorkIsDoneAtEveryLaunch(Device device) {
        try (Stream stream = device.createStream();
                DeviceBuffer memory = device.allocate(1024)) {
            Tensor from = memory.tensor(ElementType.FP32, 8);
            Tensor to = memory.tensorAt(256, ElementType.FP16, 8);
            Tensor overflow = memory.tensorAt(512, ElementType.I32, 1);
            device.fill(memory.pointer(), (byte) 0, 1024, stream);
            Convert.run(device, to, from, overflow, 1, stream); // loads the kernel
            stream.synchronize();
            Runnable work = () -> {
                Convert.run(device, to, from, overflow, 1, stream);
                device.copy(memory.pointer() + 768, to.pointer(), 16, stream);
            };
            if (!device.hasGraphs()) {
                assertTrue(device instanceof EmulatedDevice, device.name());
                assertThrows(UnsupportedOperationException.class, () -> device.capture(stream, work));
                return;
            }
            try (Graph graph = device.capture(stream, work)) {
                for (byte exponent : new byte[] {0x3f, 0x40}) { // 0x3f3f3f3f, 0x40404040: 0.747, 3.00
                    device.fill(from.pointer(), exponent, 32, stream);
                    assertEquals(exponent == 0x3f ? 0 : 0x39, read(device, memory.pointer() + 768, 2)[1]);
                    graph.launch(stream);
                    stream.synchronize();
                    assertEquals(exponent == 0x3f ? 0x39 : 0x42, read(device, memory.pointer() + 768, 2)[1]);
                }
            }
            assertThrows(DeviceException.class, () -> device.capture(stream, stream::synchronize));
            device.capture(stream, () -> {}).close(); // the device is sound
            try (LaunchProfile profile = LaunchProfile.counting(device)) {
                assertFalse(device.hasGraphs(), "a graph would pass the profile by");
            }
        }
    }

    @DeviceTest
    void copiesBuffersOfEveryKind(Device device) {
        int bytes = 3_000_001; // more than one piece, and an odd rest
        byte[] values = random(bytes);
        Stream stream = device.defaultStream();
        try (DeviceBuffer buffer = device.allocate(bytes)) {
            long at = buffer.pointer();
            device.copyToDevice(at, ByteBuffer.wrap(values), stream);
            assertArrayEquals(values, read(device, at, bytes));

            device.copyToDevice(at, ByteBuffer.wrap(new byte[bytes]), stream);
            device.copyToDevice(at, ByteBuffer.wrap(values).asReadOnlyBuffer(), stream);
            assertArrayEquals(values, read(device, at, bytes));

            device.copyToDevice(at, ByteBuffer.wrap(new byte[bytes]), stream);
            ByteBuffer direct =
                    ByteBuffer.allocateDirect(bytes + 7).position(7).put(values).position(7);
            device.copyToDevice(at, direct, stream);
            assertEquals(7, direct.position());
            stream.synchronize();
            assertArrayEquals(values, read(device, at, bytes));

            try (HostBuffer host = device.allocateHost(bytes)) {
                assertEquals(bytes, host.bytes());
                assertTrue(host.buffer().isDirect());
                device.copyToHost(host.buffer(), at, stream);
                stream.synchronize();
                byte[] got = new byte[bytes];
                host.buffer().get(got);
                assertArrayEquals(values, got);
            }
        }
    }

    @DeviceTest
    void copiesOnlyWhatRemains(Device device) {
        byte[] values = random(64);
        try (DeviceBuffer buffer = device.allocate(64)) {
            device.fill(buffer.pointer(), (byte) 5, 64, device.defaultStream());
            device.copyToDevice(
                    buffer.pointer() + 3, ByteBuffer.wrap(values).position(10).limit(20), device.defaultStream());
            byte[] expected = new byte[64];
            Arrays.fill(expected, (byte) 5);
            System.arraycopy(values, 10, expected, 3, 10);
            assertArrayEquals(expected, read(device, buffer.pointer(), 64));

            byte[] part = new byte[20];
            ByteBuffer to = ByteBuffer.wrap(part).position(4).limit(9);
            device.copyToHost(to, buffer.pointer() + 3, device.defaultStream());
            assertEquals(4, to.position());
            byte[] expectedPart = new byte[20];
            System.arraycopy(values, 10, expectedPart, 4, 5);
            assertArrayEquals(expectedPart, part);
        }
    }

    @DeviceTest
    void copiesAndFillsWithin(Device device) {
        byte[] values = random(1000);
        try (DeviceBuffer a = device.allocate(1000);
                DeviceBuffer b = device.allocate(1000)) {
            Stream stream = device.createStream();
            device.copyToDevice(a.pointer(), ByteBuffer.wrap(values), stream);
            device.fill(b.pointer(), (byte) -1, 1000, stream);
            device.copy(b.pointer() + 1, a.pointer() + 2, 997, stream);
            stream.synchronize();
            byte[] got = read(device, b.pointer(), 1000);
            assertEquals(-1, got[0]);
            assertEquals(-1, got[998]);
            for (int i = 0; i < 997; i++) {
                assertEquals(values[i + 2], got[i + 1]);
            }
            stream.close();
            assertTrue(refusal(() -> device.copy(a.pointer() + 10, a.pointer(), 11, device.defaultStream()))
                    .startsWith("copy: expected ranges apart, got 11 bytes from 0x"));
        }
    }

    @DeviceTest
    void nothingIsAlsoAnAmount(Device device) {
        Stream stream = device.defaultStream();
        device.copyToDevice(0, ByteBuffer.allocate(0), stream);
        device.copyToHost(ByteBuffer.allocate(0), 0, stream);
        device.copy(0, 0, 0, stream);
        device.fill(0, (byte) 0, 0, stream);
    }

    @DeviceTest
    void badCopiesAreRefused(Device device) {
        Stream stream = device.defaultStream();
        ByteBuffer some = ByteBuffer.allocate(4);
        assertEquals(
                "copy to device: device address: expected a device address, got 0",
                refusal(() -> device.copyToDevice(0, some, stream)));
        assertEquals(
                "copy to device: buffer: expected a value, got null",
                refusal(() -> device.copyToDevice(256, null, stream)));
        assertEquals(
                "copy to host: stream: expected a value, got null", refusal(() -> device.copyToHost(some, 256, null)));
        assertEquals(
                "copy to host: to: expected a writable buffer, got a read-only one",
                refusal(() -> device.copyToHost(some.asReadOnlyBuffer(), 256, stream)));
        assertEquals(
                "fill: bytes: expected a number from 0, got -1", refusal(() -> device.fill(256, (byte) 0, -1, stream)));
        try (Device other = TestDevices.emulated(75, false)) {
            assertEquals(
                    "fill: stream: expected one of " + device.name() + ", got one of another device, emulated sm_75",
                    refusal(() -> device.fill(256, (byte) 0, 1, other.defaultStream())));
        }
    }

    @DeviceTest
    void streamsAndEvents(Device device) {
        try (Stream first = device.createStream();
                Stream second = device.createStream();
                Event start = device.createEvent();
                Event end = device.createEvent();
                DeviceBuffer buffer = device.allocate(1 << 20)) {
            assertSame(device, first.device());
            assertNotEquals(first.handle(), second.handle());
            first.record(start);
            device.fill(buffer.pointer(), (byte) 1, buffer.bytes(), first);
            first.record(end);
            second.await(end);
            device.fill(buffer.pointer(), (byte) 2, 100, second);
            second.synchronize();
            assertTrue(second.isDone());
            assertTrue(end.isDone());
            float milliseconds = end.millisecondsSince(start);
            assertTrue(milliseconds >= 0 && milliseconds < 10_000, "took " + milliseconds + " ms");
            byte[] got = read(device, buffer.pointer(), 200);
            assertEquals(2, got[99]);
            assertEquals(1, got[100]);
            device.synchronize();
        }
    }

    @DeviceTest
    void eventsThatWereNotRecordedHaveNoTime(Device device) {
        try (Event a = device.createEvent();
                Event b = device.createEvent()) {
            String message = assertThrows(DeviceException.class, () -> b.millisecondsSince(a))
                    .getMessage();
            assertTrue(message.contains("each recorded before"), message);
            assertTrue(message.contains("CUDA_ERROR_INVALID_HANDLE (400)"), message);
        }
    }

    @DeviceTest
    void closedStreamsAndEventsAreRefused(Device device) {
        Stream stream = device.createStream();
        Event event = device.createEvent();
        event.close();
        assertThrows(IllegalStateException.class, () -> stream.record(event));
        assertThrows(IllegalStateException.class, event::isDone);
        stream.close();
        stream.close();
        assertThrows(IllegalStateException.class, stream::synchronize);
    }

    @DeviceTest
    void wrappedStreamsStayTheirOwners(Device device) {
        assertSame(device.defaultStream(), Stream.wrap(device, 0));
        try (Stream own = device.createStream()) {
            Stream wrapped = Stream.wrap(device, own.handle());
            assertEquals(own.handle(), wrapped.handle());
            wrapped.synchronize();
            wrapped.close();
            own.synchronize();
        }
    }

    @DeviceTest
    void everyThreadMayCall(Device device) throws InterruptedException {
        byte[] values = random(10_000);
        try (DeviceBuffer buffer = device.allocate(values.length)) {
            byte[][] got = new byte[1][];
            Thread other = new Thread(() -> {
                device.copyToDevice(buffer.pointer(), ByteBuffer.wrap(values), device.defaultStream());
                got[0] = read(device, buffer.pointer(), values.length);
            });
            other.start();
            other.join();
            assertArrayEquals(values, got[0]);
        }
    }

    @DeviceTest
    void whatDoesNotFitSaysSo(Device device) {
        long tooMuch = device.totalBytes() + 1;
        OutOfDeviceMemoryException e = assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(tooMuch));
        assertEquals(tooMuch, e.requestedBytes());
        assertTrue(e.freeBytes() <= device.totalBytes());
        assertTrue(e.getMessage().contains("(" + tooMuch + " bytes) requested"), e.getMessage());
        assertTrue(e.getMessage().contains("(" + e.freeBytes() + " bytes) free of"), e.getMessage());
        assertTrue(e.getMessage().contains("lower the memory budget"), e.getMessage());
        device.allocate(16).close();
    }

    // ---------------------------------------------------------------- launches

    /** A launch of layer norm that has a wrong name, or parameters of a wrong size. */
    private static Launch wrong(String operator, String kernel, ParameterBlock parameters) {
        return new Launch(operator, kernel, 1, 1, 1, parameters, 0, 0);
    }

    @DeviceTest
    void unknownKernelsAreRefused(Device device) {
        ParameterBlock none = ParameterBlock.create();
        assertEquals(
                "layer_norm: kernel: expected an entry point of layer_norm.cu, got layer_norm_fp17",
                refusal(() -> device.launch(wrong("layer_norm", "layer_norm_fp17", none), device.defaultStream())));
        assertEquals(
                "launch: operator: expected the name of a kernel file, got no_such_operator",
                refusal(() -> device.launch(
                        wrong("no_such_operator", "no_such_operator_fp16", none), device.defaultStream())));
        assertEquals(
                "launch: operator: expected the name of a kernel file, got ../layer_norm",
                refusal(() -> device.launch(wrong("../layer_norm", "layer_norm_fp16", none), device.defaultStream())));
        assertEquals(
                "launch: launch: expected a value, got null",
                refusal(() -> device.launch(null, device.defaultStream())));
    }

    @DeviceTest
    void parametersOfAnotherSizeAreRefused(Device device) {
        String message = refusal(() -> device.launch(
                wrong("layer_norm", "layer_norm_fp32", ParameterBlock.create().integer32(1)), device.defaultStream()));
        assertTrue(
                message.matches("layer_norm: parameters: expected the \\d+ bytes of layer_norm_fp32's struct, got 4"),
                message);
    }
}
