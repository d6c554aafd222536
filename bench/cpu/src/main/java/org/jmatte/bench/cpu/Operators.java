package org.jmatte.bench.cpu;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jmatte.MattingOptions;
import org.jmatte.Precision;
import org.jmatte.cpu.CpuOperators;
import org.jmatte.network.Geometry;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitNetwork;
import org.jmatte.network.VitOps;
import org.jmatte.train.mematte.MeMatte;
import org.jmatte.train.mematte.TorchOperators;
import org.jmatte.train.torch.Devices;
import org.jmatte.weights.ModelSource;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The operators of one network in one peer's hands; the network has run, so each of them can be called alone. */
@State(Scope.Benchmark)
public class Operators {
    static final String OURS = "jmatte";
    static final String LIBTORCH = "libtorch";
    /** The fraction of tokens that routers keep. */
    static final double KEEP = 0.25;
    /** Raises every margin so far that all tokens qualify, and the cap alone decides. */
    private static final float ALWAYS = 100;

    /** One for every combination of parameters, for the life of the process: rounds come back to them. */
    private static final Map<String, VitOps> OPENED = new HashMap<>();

    /** What the networks are mostly run at, 4K for the sizes at which caches no longer help, and one that nothing divides. */
    @Param({"1024x1024", "3840x2160", "989x1111"})
    public String size;

    /** bf16 halves what is moved; whoever has AVX-512 uses it. */
    @Param({"fp32", "bf16"})
    public String dtype;

    /** Two, as the results are told for small machines; the peers get the same. */
    @Param("2")
    public int threads;

    /** Last, so that the peers take turns. */
    @Param({OURS, LIBTORCH})
    public String peer;

    private VitOps operators;

    /** Opens the network, or finds it open. */
    @Setup(Level.Trial)
    public void open() {
        torch.set_num_threads(threads); // also of this thread, which JMH made for the trial
        String key = String.join(" ", network(), size, dtype, peer);
        operators = OPENED.computeIfAbsent(key, unopened -> open(network(), size, dtype, threads, peer));
    }

    /** What it has operators of. */
    String network() {
        return OperatorBenchmark.NETWORK;
    }

    VitOps get() {
        return operators;
    }

    private static VitOps open(String network, String size, String dtype, int threads, String peer) {
        Scene scene = Scene.of(size);
        try (ModelSource source = ModelSource.open("seeded:" + network)) {
            VitOps operators = peer.equals(OURS)
                    ? new CpuOperators(source, options(source, dtype, threads), scene.photo(), scene.trimap())
                            .operators()
                    : torch(source, scene, dtype, threads);
            new VitNetwork((VitArchitecture) source.architecture()).run(operators);
            return operators;
        }
    }

    static MattingOptions options(ModelSource source, String dtype, int threads) {
        MattingOptions options = MattingOptions.defaults()
                .withPrecision(Precision.valueOf(dtype.toUpperCase()))
                .withThreads(threads);
        return source.architecture().routed() ? options.withKeep(KEEP) : options;
    }

    /** MEMatte or ViTMatte on libtorch. */
    static TorchOperators torch(ModelSource source, Scene scene, String dtype, int threads) {
        torch.set_num_threads(threads);
        MeMatte network = MeMatte.frozen(source, Devices.cpu());
        VitArchitecture architecture = network.architecture();
        int routers = architecture.routed() ? VitArchitecture.globalBlocks().length : 0;
        try (PointerScope temporaries = new PointerScope()) {
            for (int router = 0; router < routers; router++) {
                Tensor bias = network.parameters().get("backbone.routers." + router + ".out_conv.4.bias");
                bias.add_(Tensor.create(ALWAYS, 0f));
            }
            int tokens = Geometry.of(scene.photo().height(), scene.photo().width(), false, architecture.routed())
                    .tokens();
            return new TorchOperators(
                    network,
                    scene.planes(network.mean(), network.deviation()),
                    (int) (KEEP * tokens),
                    dtype.equals("bf16"));
        }
    }
}
