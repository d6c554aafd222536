package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.BytePointer;
import org.jmatte.bindings.emulator.Emulator;

/**
 * A device without hardware: runs the sources of the kernels thread by thread on the host, with the launches that a card
 * would get. For tests; slower than the CPU backend by far. Needs the artifact {@code jmatte-emulator}.
 *
 * <p>Every call is over when it returns, so streams and events order nothing and are there for the callers' sake. Memory is
 * filled with NaN patterns when it is allocated; a buffer above 1 GiB is not, and takes memory only where it is touched.
 * With {@link EmulatorOptions#checking}, a launch whose threads race, reach outside their memory, read what nobody wrote or
 * access it unaligned throws a {@link DeviceException} that lists the findings; the device can be used further.
 */
public final class EmulatedDevice extends BaseDevice {
    /** Few, so that persistent kernels take several rounds. */
    private static final int MULTIPROCESSORS = 4;

    private static final ThreadLocal<Memory> PARAMETERS =
            ThreadLocal.withInitial(() -> new Memory(ParameterBlock.MAX_BYTES));

    private final EmulatorOptions options;
    private final String name;
    private final Stream defaultStream = new EmulatedStream(this, 0, null);
    private final AtomicLong handles = new AtomicLong();
    private final AtomicLong used = new AtomicLong();
    private final AtomicLong allocations = new AtomicLong();
    private final AtomicLong launches = new AtomicLong();

    private EmulatedDevice(EmulatorOptions options) {
        this.options = options;
        this.name = "emulated sm_" + options.architecture() + (options.checking() ? ", checking" : "");
    }

    /** @throws DeviceException if the emulator's artifact is not there */
    static EmulatedDevice open(EmulatorOptions options) {
        try {
            Emulator.allocated_bytes(); // loads the library
        } catch (LinkageError e) {
            throw new DeviceException(problem(e), e);
        }
        return new EmulatedDevice(options);
    }

    private static String problem(LinkageError e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return "the emulator is not there or does not load; the artifact org.jmatte:jmatte-emulator must be on the class"
                + " path, and the platform linux-x86_64 (" + cause + ")";
    }

    /** Memory outside Java's heap whose address native code can take. */
    private static final class Memory {
        final ByteBuffer buffer;
        final long address;

        Memory(int bytes) {
            buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            address = addressOf(buffer);
        }
    }

    private static long addressOf(ByteBuffer direct) {
        try (BytePointer pointer = new BytePointer(direct.slice())) {
            return pointer.address();
        }
    }

    /** @throws DeviceException with the emulator's findings, if there are any */
    private void check(int findings, String doing) {
        if (findings != 0) {
            List<String> lines = Emulator.findings().lines().toList();
            throw new DeviceException(
                    name + ": " + doing + ": " + findings + (findings == 1 ? " finding:\n" : " findings:\n")
                            + String.join("\n", lines),
                    lines,
                    null);
        }
    }

    // ---------------------------------------------------------------- properties

    public EmulatorOptions options() {
        return options;
    }

    /** How often memory of the device was asked for. */
    public long allocations() {
        return allocations.get();
    }

    @Override
    public int architecture() {
        return options.architecture();
    }

    @Override
    public int multiprocessors() {
        return MULTIPROCESSORS;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long freeBytes() {
        ensureUsable();
        return options.memoryBytes() - used.get();
    }

    @Override
    public long totalBytes() {
        ensureUsable();
        return options.memoryBytes();
    }

    // ---------------------------------------------------------------- memory

    @Override
    long allocateMemory(long bytes) {
        if (allocations.incrementAndGet() == options.failingAllocation()) {
            throw outOfMemory(bytes, " (an injected fault: allocation " + options.failingAllocation() + ")");
        }
        if (used.addAndGet(bytes) > options.memoryBytes()) {
            used.addAndGet(-bytes);
            throw outOfMemory(bytes, "");
        }
        long pointer = Emulator.allocate(bytes);
        if (pointer == 0) {
            used.addAndGet(-bytes);
            throw outOfMemory(bytes, " (the emulator's own range of addresses is used up)");
        }
        return pointer;
    }

    @Override
    void releaseMemory(long pointer, long bytes) {
        used.addAndGet(-bytes);
        check(Emulator.release(pointer), "giving memory back");
    }

    @Override
    ByteBuffer allocatePageLocked(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    void releasePageLocked(ByteBuffer buffer) {}

    // ---------------------------------------------------------------- streams

    @Override
    public Stream defaultStream() {
        return defaultStream;
    }

    @Override
    public Stream createStream() {
        ensureUsable();
        return new EmulatedStream(this, handles.incrementAndGet(), lease(() -> {}));
    }

    @Override
    public Stream wrapStream(long handle) {
        return handle == 0 ? defaultStream : new EmulatedStream(this, handle, null);
    }

    @Override
    public Event createEvent() {
        ensureUsable();
        return new EmulatedEvent(this, handles.incrementAndGet(), lease(() -> {}));
    }

    @Override
    void waitForAll() {}

    // ---------------------------------------------------------------- copies

    @Override
    void upload(long to, ByteBuffer from, Stream stream) {
        int bytes = from.remaining();
        ByteBuffer direct = from.isDirect()
                ? from
                : ByteBuffer.allocateDirect(bytes).put(from.duplicate()).flip();
        check(Emulator.copy_to_device(to, addressOf(direct), bytes), "copying " + bytes + " bytes to the device");
    }

    @Override
    void download(ByteBuffer to, long from, Stream stream) {
        int bytes = to.remaining();
        ByteBuffer direct = to.isDirect() ? to : ByteBuffer.allocateDirect(bytes);
        check(Emulator.copy_to_host(addressOf(direct), from, bytes), "copying " + bytes + " bytes from the device");
        if (direct != to) {
            to.duplicate().put(direct);
        }
    }

    @Override
    void copyWithin(long to, long from, long bytes, Stream stream) {
        check(Emulator.copy_on_device(to, from, bytes), "copying " + bytes + " bytes within the device");
    }

    @Override
    void set(long pointer, byte value, long bytes, Stream stream) {
        check(Emulator.fill(pointer, value, bytes), "filling " + bytes + " bytes");
    }

    // ---------------------------------------------------------------- launches

    @Override
    void run(Launch launch, Stream stream) {
        String kernel = launch.kernel();
        int architecture = options.architecture();
        // A card would look for the kernel in the operator's file.
        boolean named = kernel.equals(launch.operator()) || kernel.startsWith(launch.operator() + "_");
        int expected = named ? Emulator.kernel_parameter_bytes(kernel, architecture) : -1;
        if (expected < 0) {
            if (!KernelFiles.exists(launch.operator())) {
                throw noSuchOperator(launch.operator());
            }
            throw noSuchKernel(launch);
        }
        checkParameters(launch, expected);
        if (launch.isEmpty()) {
            return;
        }
        if (launches.incrementAndGet() == options.failingLaunch()) {
            markBroken("an injected fault: launch " + options.failingLaunch() + ", " + launch);
            throw new DeviceException(name + ": launching " + launch + " failed: CUDA_ERROR_LAUNCH_FAILED (719), an"
                    + " injected fault. The device cannot be used any more");
        }
        Memory parameters = PARAMETERS.get();
        parameters.buffer.clear().put(launch.parameters().bytes());
        int findings = Emulator.launch(
                kernel,
                architecture,
                launch.gridX(),
                launch.gridY(),
                launch.gridZ(),
                parameters.address,
                expected,
                options.scheduleSeed(),
                options.checking());
        check(findings, launch.toString());
    }

    @Override
    void letGo() {}

    // ---------------------------------------------------------------- streams and events

    private record EmulatedStream(EmulatedDevice device, long handle, Lease lease) implements Stream {
        private void ensureUsable() {
            device.ensureUsable();
            if (lease != null && !lease.isLive()) {
                throw new IllegalStateException("this stream was closed already");
            }
        }

        @Override
        public void synchronize() {
            ensureUsable();
        }

        @Override
        public boolean isDone() {
            ensureUsable();
            return true;
        }

        @Override
        public void record(Event event) {
            ensureUsable();
            device.own(event).nanoseconds = System.nanoTime();
        }

        @Override
        public void await(Event event) {
            ensureUsable();
            device.own(event);
        }

        @Override
        public void close() {
            if (lease != null) {
                lease.end();
            }
        }
    }

    private EmulatedEvent own(Event event) {
        Arguments.notNull("event", "event", event);
        if (event instanceof EmulatedEvent own && own.device == this) {
            own.synchronize();
            return own;
        }
        throw new InvalidArgumentException("event: expected one of " + name + ", got one of another device");
    }

    private static final class EmulatedEvent implements Event {
        private final EmulatedDevice device;
        private final long handle;
        private final Lease lease;
        private volatile long nanoseconds;

        EmulatedEvent(EmulatedDevice device, long handle, Lease lease) {
            this.device = device;
            this.handle = handle;
            this.lease = lease;
        }

        @Override
        public long handle() {
            return handle;
        }

        @Override
        public boolean isDone() {
            synchronize();
            return true;
        }

        @Override
        public void synchronize() {
            device.ensureUsable();
            if (!lease.isLive()) {
                throw new IllegalStateException("this event was closed already");
            }
        }

        @Override
        public float millisecondsSince(Event start) {
            synchronize();
            long from = device.own(start).nanoseconds;
            if (from == 0 || nanoseconds == 0) {
                throw new DeviceException(device.name + ": taking the time between two events, each recorded before,"
                        + " failed: CUDA_ERROR_INVALID_HANDLE (400)");
            }
            return (nanoseconds - from) * 1e-6f;
        }

        @Override
        public void close() {
            lease.end();
        }
    }
}
