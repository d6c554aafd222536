package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What cards and emulated devices share: checks of arguments, and whether the device is open and sound. */
abstract class BaseDevice implements Device {
    private final Set<Lease> leases = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private volatile String failure;
    private volatile List<LaunchHook> hooks = NvtxRanges.hooks();
    private volatile VendorLibrary library;

    // ---------------------------------------------------------------- what a device does, arguments checked

    /** At least one byte. */
    abstract long allocateMemory(long bytes);

    abstract void releaseMemory(long pointer, long bytes);

    abstract ByteBuffer allocatePageLocked(int bytes);

    abstract void releasePageLocked(ByteBuffer buffer);

    abstract void upload(long to, ByteBuffer from, Stream stream);

    abstract void download(ByteBuffer to, long from, Stream stream);

    abstract void copyWithin(long to, long from, long bytes, Stream stream);

    abstract void set(long pointer, byte value, long bytes, Stream stream);

    /** The grid may be empty: the kernel's name and parameters are to be checked all the same. */
    abstract void run(Launch launch, Stream stream);

    abstract void waitForAll();

    /** Nothing is left of the device's. */
    abstract void letGo();

    // ---------------------------------------------------------------- state

    /** Refuses to go on with a closed or broken device. */
    final void ensureUsable() {
        if (closed) {
            throw new IllegalStateException(name() + " is closed");
        }
        if (failure != null) {
            throw new DeviceException(name() + " cannot be used any more, since an earlier call failed (" + failure
                    + "); close it and start a new process");
        }
    }

    /** From now on nothing can be done with the device but closing it. */
    final void markBroken(String why) {
        if (failure == null) {
            failure = why;
        }
    }

    final boolean isBroken() {
        return failure != null;
    }

    /** Has something given back with the device at the latest. */
    final Lease lease(Runnable release) {
        Lease lease = new Lease(release, leases);
        if (closed) { // meanwhile
            lease.end();
            ensureUsable();
        }
        return lease;
    }

    @Override
    public final void close() {
        DeviceException late = null; // of work that was still under way
        synchronized (this) {
            if (closed) {
                return;
            }
            if (!isBroken()) {
                try {
                    waitForAll();
                } catch (DeviceException e) {
                    late = e;
                }
            }
            closed = true;
        }
        List.copyOf(leases).forEach(Lease::end);
        letGo();
        if (late != null) {
            throw late;
        }
    }

    // ---------------------------------------------------------------- memory

    @Override
    public final DeviceBuffer allocate(long bytes) {
        ensureUsable();
        if (bytes < 0) {
            throw new InvalidArgumentException("allocate: bytes: expected a number from 0, got " + bytes);
        }
        long some = Math.max(bytes, 1);
        long pointer = allocateMemory(some);
        return new DeviceBuffer(pointer, bytes, lease(() -> releaseMemory(pointer, some)));
    }

    @Override
    public final HostBuffer allocateHost(int bytes) {
        ensureUsable();
        if (bytes < 0) {
            throw new InvalidArgumentException("allocate host memory: bytes: expected a number from 0, got " + bytes);
        }
        ByteBuffer memory = allocatePageLocked(Math.max(bytes, 1));
        return new HostBuffer(memory.slice(0, bytes), lease(() -> releasePageLocked(memory)));
    }

    /** What to say of an allocation that did not fit. */
    final OutOfDeviceMemoryException outOfMemory(long bytes, String cause) {
        long free = freeBytes();
        return new OutOfDeviceMemoryException(
                "out of device memory on " + name() + ": " + inMebibytes(bytes) + " requested, " + inMebibytes(free)
                        + " free of " + inMebibytes(totalBytes()) + cause
                        + "; lower the memory budget (chunks, bands and strips then shrink), the token cap or the image"
                        + " size, or end other work on the device",
                bytes,
                free);
    }

    static String inMebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB (%d bytes)", bytes / 1048576.0, bytes);
    }

    // ---------------------------------------------------------------- copies

    @Override
    public final void copyToDevice(long to, ByteBuffer from, Stream stream) {
        checkCopy("copy to device", to, from, stream);
        if (from.hasRemaining()) {
            upload(to, from, stream);
        }
    }

    @Override
    public final void copyToHost(ByteBuffer to, long from, Stream stream) {
        checkCopy("copy to host", from, to, stream);
        if (to.isReadOnly()) {
            throw new InvalidArgumentException("copy to host: to: expected a writable buffer, got a read-only one");
        }
        if (to.hasRemaining()) {
            download(to, from, stream);
        }
    }

    private void checkCopy(String what, long pointer, ByteBuffer buffer, Stream stream) {
        checkStream(what, stream);
        Arguments.notNull(what, "buffer", buffer);
        checkRange(what, "device address", pointer, buffer.remaining());
    }

    @Override
    public final void copy(long to, long from, long bytes, Stream stream) {
        checkStream("copy", stream);
        checkRange("copy", "to", to, bytes);
        checkRange("copy", "from", from, bytes);
        if (from < to + bytes && to < from + bytes) {
            throw new InvalidArgumentException("copy: expected ranges apart, got " + bytes + " bytes from 0x"
                    + Long.toHexString(from) + " to 0x" + Long.toHexString(to));
        }
        if (bytes > 0) {
            copyWithin(to, from, bytes, stream);
        }
    }

    @Override
    public final void fill(long pointer, byte value, long bytes, Stream stream) {
        checkStream("fill", stream);
        checkRange("fill", "pointer", pointer, bytes);
        if (bytes > 0) {
            set(pointer, value, bytes, stream);
        }
    }

    private static void checkRange(String what, String argument, long pointer, long bytes) {
        Arguments.check(bytes >= 0, what, "bytes", "a number from 0", bytes);
        Arguments.check(pointer != 0 || bytes == 0, what, argument, "a device address", "0");
    }

    private void checkStream(String what, Stream stream) {
        Arguments.notNull(what, "stream", stream);
        ensureUsable();
        if (stream.device() != this) {
            throw new InvalidArgumentException(what + ": stream: expected one of " + name()
                    + ", got one of another device, " + stream.device().name());
        }
    }

    // ---------------------------------------------------------------- launches

    @Override
    public final void launch(Launch launch, Stream stream) {
        Arguments.notNull("launch", "launch", launch);
        checkStream(launch.operator(), stream);
        if (launch.isEmpty()) {
            run(launch, stream);
        } else {
            run(launch, stream, hooks);
        }
    }

    private void run(Launch launch, Stream stream, List<LaunchHook> around) {
        if (around.isEmpty()) {
            VendorLibrary other = library;
            if (other == null || launch.core() == null || !launch.core().whole() || !other.run(launch.core(), stream)) {
                run(launch, stream);
            }
        } else {
            List<LaunchHook> inner = around.subList(1, around.size());
            around.get(0).launch(launch, stream, () -> run(launch, stream, inner));
        }
    }

    @Override
    public boolean hasGraphs() {
        return false;
    }

    @Override
    public final Graph capture(Stream stream, Runnable work) {
        checkStream("capture", stream);
        if (!hasGraphs()) {
            throw new UnsupportedOperationException(name() + " has no graphs, or hooks around its launches");
        }
        return captured(stream, work);
    }

    /** {@link #capture}, where there are graphs. */
    Graph captured(Stream stream, Runnable work) {
        throw new UnsupportedOperationException();
    }

    final boolean hasHooks() {
        return !hooks.isEmpty();
    }

    @Override
    public final synchronized void addHook(LaunchHook hook) {
        List<LaunchHook> more = new ArrayList<>(hooks);
        more.add(Arguments.notNull("add hook", "hook", hook));
        hooks = List.copyOf(more);
    }

    @Override
    public final synchronized void removeHook(LaunchHook hook) {
        List<LaunchHook> fewer = new ArrayList<>(hooks);
        fewer.remove(hook);
        hooks = List.copyOf(fewer);
    }

    @Override
    public final void useLibrary(VendorLibrary vendors) {
        library = vendors;
    }

    /** The block that a wrapper made must have the size of the kernel's struct. */
    static void checkParameters(Launch launch, int expected) {
        int got = launch.parameters().size();
        if (got != expected) {
            throw new InvalidArgumentException(launch.operator() + ": parameters: expected the " + expected
                    + " bytes of " + launch.kernel() + "'s struct, got " + got);
        }
    }

    static InvalidArgumentException noSuchOperator(String operator) {
        return new InvalidArgumentException("launch: operator: expected the name of a kernel file, got " + operator);
    }

    static InvalidArgumentException noSuchKernel(Launch launch) {
        return new InvalidArgumentException(launch.operator() + ": kernel: expected an entry point of "
                + launch.operator() + ".cu, got " + launch.kernel());
    }

    @Override
    public final void synchronize() {
        ensureUsable();
        waitForAll();
    }

    @Override
    public String toString() {
        return name();
    }
}
