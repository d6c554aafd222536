package org.jmatte.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An NVIDIA card, through JCuda's driver API; needs the driver alone. It works in the card's primary context, which the
 * CUDA runtime and most libraries share, or in a context of the caller's; whichever it is, it is made current on every
 * thread that calls, and a thread's own other context is put back afterwards.
 */
public final class CudaDevice extends BaseDevice {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);
    private static final CUcontext NONE = new CUcontext();
    private static final int UNNUMBERED = -1;
    private static final int PORTABLE = JCudaDriver.CU_MEMHOSTALLOC_PORTABLE;
    private static final int STAGED_BYTES = 1 << 20;

    private static final ThreadLocal<CUcontext> CURRENT = ThreadLocal.withInitial(CUcontext::new);
    private static final ThreadLocal<Parameters> PARAMETERS = ThreadLocal.withInitial(Parameters::new);

    private final CUdevice device;
    private final int number;
    private final CUcontext context;
    private final boolean retained;
    private final String name;
    private final int architecture;
    private final int multiprocessors;
    private final int sharedBytesPerBlock;
    private final CudaStream defaultStream;
    private final ConcurrentHashMap<String, CudaModule> modules = new ConcurrentHashMap<>();
    private volatile Launch lastLaunch;

    private CudaDevice(CUdevice device, int number, CUcontext context, boolean retained) {
        this.device = device;
        this.number = number;
        this.context = context;
        this.retained = retained;
        this.name = name(device);
        this.architecture = architecture(device);
        this.multiprocessors = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        this.sharedBytesPerBlock =
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
        this.defaultStream = CudaStream.wrap(this, 0);
        LOG.info("GPU {}, sm_{}, {} multiprocessors, {} free", name, architecture, multiprocessors, freeMebibytes());
    }

    // ---------------------------------------------------------------- opening

    /** How many cards the driver shows; with {@code CUDA_VISIBLE_DEVICES} perhaps not all. */
    static int count() {
        Cuda.start();
        int[] count = new int[1];
        require(Cuda.call(() -> JCudaDriver.cuDeviceGetCount(count)), "counting the cards");
        return count[0];
    }

    /** Why there are no cards to count. */
    static String noCards() {
        return Cuda.notStarted(CUresult.CUDA_ERROR_NO_DEVICE);
    }

    /** Opens a card by its number, in its primary context. */
    static CudaDevice open(int ordinal) {
        int count = count();
        if (count == 0) {
            throw new DeviceException(noCards());
        }
        if (ordinal < 0 || ordinal >= count) {
            throw new DeviceException("card " + ordinal + ": expected 0 to " + (count - 1) + ", since the driver shows "
                    + count + " (CUDA_VISIBLE_DEVICES chooses which)");
        }
        CUdevice device = new CUdevice();
        require(Cuda.call(() -> JCudaDriver.cuDeviceGet(device, ordinal)), "opening card " + ordinal);
        refuseOld(device);
        CUcontext context = new CUcontext();
        require(
                Cuda.call(() -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device)),
                "starting work on card " + ordinal + ", " + name(device)
                        + " (another process may have it alone: nvidia-smi -q -d COMPUTE)");
        return new CudaDevice(device, ordinal, context, true);
    }

    /**
     * Joins the context that is current on this thread, whoever made it: memory, streams and modules are then the
     * caller's neighbours. Closing lets go of what this class made and leaves the context.
     *
     * @throws DeviceException if no context is current, or its card cannot run the kernels
     */
    public static CudaDevice ofCurrentContext() {
        Cuda.start();
        CUcontext context = new CUcontext();
        require(Cuda.call(() -> JCudaDriver.cuCtxGetCurrent(context)), "looking for this thread's context");
        if (context.equals(NONE)) {
            throw new DeviceException(
                    "no CUDA context is current on this thread; make one current (cuCtxSetCurrent), or"
                            + " use Devices.open()");
        }
        CUdevice device = new CUdevice();
        require(Cuda.call(() -> JCudaDriver.cuCtxGetDevice(device)), "looking for the context's card");
        refuseOld(device);
        return new CudaDevice(device, UNNUMBERED, context, false);
    }

    private static void refuseOld(CUdevice device) {
        String problem = CardProblems.oldCard(name(device), architecture(device));
        if (problem != null) {
            throw new DeviceException(problem);
        }
    }

    private static String name(CUdevice device) {
        byte[] name = new byte[256];
        require(Cuda.call(() -> JCudaDriver.cuDeviceGetName(name, name.length, device)), "asking a card's name");
        int length = 0;
        while (length < name.length && name[length] != 0) {
            length++;
        }
        return new String(name, 0, length, StandardCharsets.UTF_8);
    }

    private static int architecture(CUdevice device) {
        return 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        require(
                Cuda.call(() -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device)),
                "asking a card's properties");
        return value[0];
    }

    private static void require(int result, String doing) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw new DeviceException(doing + " failed: " + Cuda.describe(result));
        }
    }

    // ---------------------------------------------------------------- calls of the driver

    /** Calls the driver with this device's context current. */
    int driver(IntSupplier call) {
        CUcontext current = CURRENT.get();
        Cuda.call(() -> JCudaDriver.cuCtxGetCurrent(current));
        if (current.equals(context)) {
            return Cuda.call(call);
        }
        if (current.equals(NONE)) { // of no one else: may stay
            int result = Cuda.call(() -> JCudaDriver.cuCtxSetCurrent(context));
            return result != CUresult.CUDA_SUCCESS ? result : Cuda.call(call);
        }
        int result = Cuda.call(() -> JCudaDriver.cuCtxPushCurrent(context));
        if (result != CUresult.CUDA_SUCCESS) {
            return result;
        }
        try {
            return Cuda.call(call);
        } finally {
            Cuda.call(() -> JCudaDriver.cuCtxPopCurrent(new CUcontext()));
        }
    }

    /** Does something with this card's context current on this thread: calls of a library that works in it, say. */
    public void inContext(Runnable work) {
        ensureUsable();
        IntSupplier call = () -> {
            work.run();
            return CUresult.CUDA_SUCCESS;
        };
        check(driver(call), "entering its context");
    }

    /** @throws DeviceException unless {@code result} is success; after some errors the device is of no use any more */
    void check(int result, String doing) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw failed(result, doing);
        }
    }

    private DeviceException failed(int result, String doing) {
        String error = Cuda.describe(result);
        String message = name + ": " + doing + " failed: " + error;
        if (Cuda.isSticky(result)) {
            Launch last = lastLaunch;
            String launched = last == null ? "" : "; the last launch was " + last;
            markBroken(error + launched);
            message +=
                    launched + ". An earlier launch may be to blame: with CUDA_LAUNCH_BLOCKING=1 each reports its own"
                            + " errors, and compute-sanitizer finds the access. The card cannot be used any more in this"
                            + " process";
        }
        return new DeviceException(message);
    }

    CudaEvent own(Event event) {
        Arguments.notNull("event", "event", event);
        if (event instanceof CudaEvent own && own.device == this) {
            own.ensureUsable();
            return own;
        }
        throw new InvalidArgumentException("event: expected one of " + name + ", got one of another device");
    }

    /** The driver's view of a stream, which must be one of this device. */
    CUstream own(Stream stream) {
        ensureUsable();
        if (stream.device() != this) {
            throw new InvalidArgumentException("stream: expected one of " + name + ", got one of another device");
        }
        return of(stream);
    }

    /** The driver's view of a stream; those of this device are all of this class. */
    private static CUstream of(Stream stream) {
        return ((CudaStream) stream).stream;
    }

    // ---------------------------------------------------------------- JCuda's own objects

    /** Names memory that JCuda allocated as a tensor; see {@link Tensor#wrap}. */
    public static Tensor wrap(CUdeviceptr pointer, ElementType type, long... shape) {
        return Tensor.wrap(new PointerReader(pointer).address(), type, shape);
    }

    /** A stream that JCuda made and whoever made it will destroy; null is the default stream. */
    public Stream wrap(CUstream stream) {
        return stream == null ? defaultStream : CudaStream.wrap(this, stream);
    }

    /** JCuda shows an address to subclasses alone. */
    private static final class PointerReader extends CUdeviceptr {
        PointerReader(CUdeviceptr pointer) {
            super(pointer);
        }

        long address() {
            return getNativePointer() + getByteOffset();
        }
    }

    // ---------------------------------------------------------------- properties

    /** The driver's number of the card, from 0; -1 in a context of the caller's. */
    public int number() {
        return number;
    }

    @Override
    public int architecture() {
        return architecture;
    }

    @Override
    public int multiprocessors() {
        return multiprocessors;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long freeBytes() {
        return memory()[0];
    }

    @Override
    public long totalBytes() {
        return memory()[1];
    }

    private long[] memory() {
        ensureUsable();
        long[] free = new long[1];
        long[] total = new long[1];
        check(driver(() -> JCudaDriver.cuMemGetInfo(free, total)), "asking for the free memory");
        return new long[] {free[0], total[0]};
    }

    private String freeMebibytes() {
        return freeBytes() / (1 << 20) + " MiB";
    }

    // ---------------------------------------------------------------- memory

    @Override
    long allocateMemory(long bytes) {
        OwnPointer pointer = new OwnPointer();
        int result = driver(() -> JCudaDriver.cuMemAlloc(pointer, bytes));
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw outOfMemory(bytes, "");
        }
        check(result, "allocating " + inMebibytes(bytes));
        return pointer.address();
    }

    private static final class OwnPointer extends CUdeviceptr {
        long address() {
            return getNativePointer();
        }
    }

    @Override
    void releaseMemory(long pointer, long bytes) {
        release(() -> JCudaDriver.cuMemFree(Cuda.address(pointer)), "giving memory back");
    }

    /** In a broken context nothing can be given back, and the process's end does it. */
    private void release(IntSupplier call, String doing) {
        int result = driver(call);
        if (result != CUresult.CUDA_SUCCESS && !isBroken()) {
            LOG.warn(failed(result, doing).getMessage());
        }
    }

    @Override
    ByteBuffer allocatePageLocked(int bytes) {
        Pointer pointer = new Pointer();
        int result = driver(() -> JCudaDriver.cuMemHostAlloc(pointer, bytes, PORTABLE));
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw new DeviceException("out of page-locked host memory: " + inMebibytes(bytes)
                    + " requested; use ordinary buffers, or fewer of these (" + Cuda.describe(result) + ")");
        }
        check(result, "allocating " + inMebibytes(bytes) + " of page-locked host memory");
        return pointer.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    void releasePageLocked(ByteBuffer buffer) {
        release(() -> JCudaDriver.cuMemFreeHost(Pointer.to(buffer)), "giving page-locked host memory back");
    }

    // ---------------------------------------------------------------- streams

    @Override
    public Stream defaultStream() {
        return defaultStream;
    }

    @Override
    public Stream createStream() {
        ensureUsable();
        return CudaStream.create(this);
    }

    @Override
    public Stream wrapStream(long handle) {
        return handle == 0 ? defaultStream : CudaStream.wrap(this, handle);
    }

    @Override
    public Event createEvent() {
        ensureUsable();
        return CudaEvent.create(this);
    }

    @Override
    void waitForAll() {
        check(driver(JCudaDriver::cuCtxSynchronize), "waiting for all work");
    }

    // ---------------------------------------------------------------- copies

    @Override
    void upload(long to, ByteBuffer from, Stream stream) {
        if (from.isDirect()) {
            upload(to, from.slice(), from.remaining(), stream);
            return;
        }
        ByteBuffer source = from.duplicate();
        int staged = Math.min(source.remaining(), STAGED_BYTES);
        ByteBuffer stage = ByteBuffer.allocateDirect(staged);
        for (long at = to; source.hasRemaining(); at += stage.limit()) {
            int bytes = Math.min(staged, source.remaining());
            stage.clear().put(source.slice().limit(bytes)).flip();
            source.position(source.position() + bytes);
            upload(at, stage, bytes, stream);
            stream.synchronize();
        }
    }

    private void upload(long to, ByteBuffer from, int bytes, Stream stream) {
        check(
                driver(() -> JCudaDriver.cuMemcpyHtoDAsync(Cuda.address(to), Pointer.to(from), bytes, of(stream))),
                "copying " + bytes + " bytes to the device");
    }

    @Override
    void download(ByteBuffer to, long from, Stream stream) {
        if (to.isDirect()) {
            download(to.slice(), from, to.remaining(), stream);
            return;
        }
        ByteBuffer target = to.duplicate();
        int staged = Math.min(target.remaining(), STAGED_BYTES);
        ByteBuffer stage = ByteBuffer.allocateDirect(staged);
        for (long at = from; target.hasRemaining(); at += stage.limit()) {
            int bytes = Math.min(staged, target.remaining());
            stage.clear().limit(bytes);
            download(stage, at, bytes, stream);
            stream.synchronize();
            target.put(stage);
        }
    }

    private void download(ByteBuffer to, long from, int bytes, Stream stream) {
        check(
                driver(() -> JCudaDriver.cuMemcpyDtoHAsync(Pointer.to(to), Cuda.address(from), bytes, of(stream))),
                "copying " + bytes + " bytes from the device");
    }

    @Override
    void copyWithin(long to, long from, long bytes, Stream stream) {
        check(
                driver(() -> JCudaDriver.cuMemcpyDtoDAsync(Cuda.address(to), Cuda.address(from), bytes, of(stream))),
                "copying " + bytes + " bytes within the device");
    }

    @Override
    void set(long pointer, byte value, long bytes, Stream stream) {
        check(
                driver(() -> JCudaDriver.cuMemsetD8Async(Cuda.address(pointer), value, bytes, of(stream))),
                "filling " + bytes + " bytes");
    }

    // ---------------------------------------------------------------- launches

    @Override
    void run(Launch launch, Stream stream) {
        CudaModule.Kernel kernel = modules.computeIfAbsent(
                        launch.operator(), operator -> CudaModule.load(this, operator))
                .kernel(launch);
        checkParameters(launch, kernel.parameterBytes());
        if (launch.isEmpty()) {
            return;
        }
        Pointer parameters = PARAMETERS.get().of(launch.parameters());
        int result = driver(() -> JCudaDriver.cuLaunchKernel(
                kernel.function(),
                launch.gridX(),
                launch.gridY(),
                launch.gridZ(),
                kernel.threads(),
                1,
                1,
                kernel.sharedBytes(),
                of(stream),
                parameters,
                null));
        lastLaunch = launch;
        if (result != CUresult.CUDA_SUCCESS) {
            throw failed(
                    result,
                    "launching " + launch + " with " + kernel.threads() + " threads and " + kernel.sharedBytes()
                            + " bytes of shared memory per block");
        }
    }

    @Override
    public boolean hasGraphs() {
        return !hasHooks();
    }

    @Override
    Graph captured(Stream stream, Runnable work) {
        return CudaGraph.capture(this, of(stream), work);
    }

    /** What a block of threads can have of shared memory, when a kernel asks for it. */
    int sharedBytesPerBlock() {
        return sharedBytesPerBlock;
    }

    /** A thread's parameters on their way to the driver, which copies them during the call. */
    private static final class Parameters {
        private final ByteBuffer memory = ByteBuffer.allocateDirect(ParameterBlock.MAX_BYTES);
        private final Pointer pointers = Pointer.to(Pointer.to(memory));

        Pointer of(ParameterBlock block) {
            memory.clear().put(block.bytes());
            return pointers;
        }
    }

    @Override
    void letGo() {
        modules.values().forEach(CudaModule::unload);
        modules.clear();
        if (retained) {
            Cuda.call(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device));
        }
    }
}
