package org.jmatte.vendor;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacpp.Loader;
import org.jmatte.kernels.CudaDevice;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.DeviceException;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.PlainCall;
import org.jmatte.kernels.Stream;
import org.jmatte.kernels.Tensor;
import org.jmatte.kernels.VendorLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Products on cuBLAS, and where cuDNN is there, convolutions on it. Their handles are for one thread at a time, so calls
 * from several threads queue up here.
 */
public final class NvidiaLibraries implements VendorLibrary {
    private static final Logger LOG = LoggerFactory.getLogger(NvidiaLibraries.class);

    private final Cublas cublas;
    /** Null without cuDNN. */
    private final Cudnn cudnn;
    /** Does something in the card's context. */
    private final Executor context;

    NvidiaLibraries(Cublas cublas, Cudnn cudnn, Executor context) {
        this.cublas = cublas;
        this.cudnn = cudnn;
        this.context = context;
    }

    /** Opens them for a card. */
    public static final class Provider implements VendorLibrary.Provider {
        @Override
        public VendorLibrary open(Device device) {
            if (!(device instanceof CudaDevice card)) {
                throw new DeviceException("cuBLAS: expected a card, got " + device.name());
            }
            loadCublas();
            AtomicReference<VendorLibrary> opened = new AtomicReference<>();
            card.inContext(() -> opened.set(new NvidiaLibraries(new LoadedCublas(), cudnn(card), card::inContext)));
            return opened.get();
        }

        static void loadCublas() {
            try {
                Loader.load(org.bytedeco.cuda.global.cublas.class);
            } catch (LinkageError e) {
                throw new DeviceException(
                        "cuBLAS does not load (" + e.getMessage() + "); it takes libcublas.so.13 and libcudart.so.13 of"
                                + " CUDA 13 where the system's loader finds them (LD_LIBRARY_PATH), or leave products to"
                                + " our own kernels",
                        e);
            }
        }

        private static Cudnn cudnn(CudaDevice device) {
            try {
                Loader.load(org.bytedeco.cuda.global.cudnn.class);
            } catch (LinkageError e) {
                LOG.info("convolutions stay with our own kernels: cuDNN 9 does not load ({})", e.getMessage());
                return null;
            }
            return new LoadedCudnn(device);
        }
    }

    @Override
    public String name() {
        return cudnn == null ? "cuBLAS" : "cuBLAS and cuDNN";
    }

    @Override
    public synchronized boolean run(PlainCall call, Stream stream) {
        if (call instanceof PlainCall.Product product) {
            context.execute(() -> product(product, stream));
        } else if (call instanceof PlainCall.Convolution convolution && cudnn != null) {
            context.execute(() -> convolution(convolution, stream));
        } else {
            return false;
        }
        return true;
    }

    /**
     * Row-major d [M, N] = a [M, K] w' is column-major d' [N, M] = w a': what lies in memory as w [N, K] row by row is, column
     * by column, [K, N].
     */
    private void product(PlainCall.Product call, Stream stream) {
        Tensor a = call.a();
        Tensor w = call.w();
        Tensor d = call.d();
        int m = (int) a.size(0);
        int n = (int) w.size(0);
        int k = (int) w.size(1);
        cublas.stream(stream.handle());
        cublas.gemm(
                true,
                false,
                n,
                m,
                k,
                a.type(),
                w.pointer(),
                k,
                a.pointer(),
                k,
                call.accumulates() ? 1 : 0,
                d.type(),
                d.pointer(),
                n);
    }

    private void convolution(PlainCall.Convolution call, Stream stream) {
        cudnn.stream(stream.handle());
        cudnn.convolution(
                call.in().type(), map(call.out()), map(call.in()), call.weight().pointer(), call.stride());
    }

    private static Cudnn.Map map(FeatureMap map) {
        return new Cudnn.Map(map.rows().pointer(), map.height(), map.width(), map.channels(), map.pitch());
    }

    @Override
    public void close() {
        context.execute(() -> {
            cublas.close();
            if (cudnn != null) {
                cudnn.close();
            }
        });
    }
}
