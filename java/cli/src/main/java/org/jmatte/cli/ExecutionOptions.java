package org.jmatte.cli;

import org.jmatte.Backend;
import org.jmatte.GemmLibrary;
import org.jmatte.Isa;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Padding;
import org.jmatte.Precision;
import org.jmatte.StreamType;
import org.jmatte.network.Architecture;
import org.jmatte.network.VitArchitecture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** Which model is run, and how: the flags that the verbs which run or plan a network share. */
final class ExecutionOptions {
    private static final Logger LOG = LoggerFactory.getLogger(ExecutionOptions.class);

    @Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = "A .pth or .safetensors file, a Hugging Face folder, box:NAME or seeded:NAME[:SEED].")
    String model;

    @Option(
            names = "--backend",
            paramLabel = "auto|cpu|cuda|emulated",
            description = "What executes the network: an NVIDIA card if there is one, else the processor, by default."
                    + " emulated runs the card's kernels on the processor, very slowly, for tests.")
    private Backend backend = Backend.AUTO;

    @Option(
            names = "--device",
            paramLabel = "N",
            description = "Which card, by the driver's number from 0; the first that can by default.")
    private int device = MattingOptions.ANY_DEVICE;

    @Option(
            names = "--dtype",
            paramLabel = "fp32|fp16|bf16",
            description = "Type of the operands; fp32 by default. fp16 needs a card, bf16 one from sm_80 on or a"
                    + " processor with AVX-512.")
    private Precision precision = Precision.FP32;

    @Option(
            names = "--stream",
            paramLabel = "auto|fp32|fp16",
            description = "Type of the residual stream on a card; by default fp32 where the memory budget allows.")
    private StreamType stream = StreamType.AUTO;

    @Option(
            names = "--isa",
            paramLabel = "avx2|avx512|amx",
            description = "Instruction set; the processor's best by default.")
    private Isa isa = Isa.AUTO;

    @Option(names = "--threads", paramLabel = "N", description = "Worker threads; one per processor by default.")
    private int threads;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens that attend globally; 18500 by default.")
    private int maxTokens = MattingOptions.DEFAULT_MAX_TOKENS;

    @Option(
            names = "--gmacs",
            paramLabel = "N|mild|moderate|aggressive",
            converter = ComputeBudget.class,
            description = "Most GMACs per 1024x1024 pixels that a PAM network may spend: a number, or 75, 70, 60; as it"
                    + " likes by default.")
    private Integer gmacs;

    @Option(
            names = "--memory-budget",
            paramLabel = "BYTES",
            converter = ByteCount.class,
            description = "For weights, activations and images, such as 2GiB; no limit by default. It is for one image"
                    + " at a time: with it, folders are worked through without reading ahead or writing behind.")
    private long memoryBudget;

    @Option(
            names = "--padding",
            paramLabel = "auto|authors|huggingface",
            description = "How photos are padded; as the weights' origin does by default.")
    private Padding padding = Padding.AUTO;

    @Option(
            names = "--gemm",
            paramLabel = "own|cublas|auto",
            description = "Whose matrix products and convolutions without epilogues run on a card; our own by default."
                    + " cublas needs jmatte-vendor and CUDA 13's libraries.")
    private GemmLibrary gemm = GemmLibrary.OWN;

    MattingOptions options() {
        MattingOptions options = MattingOptions.defaults()
                .withBackend(backend)
                .withDevice(device)
                .withPrecision(precision)
                .withStream(stream)
                .withIsa(isa)
                .withThreads(threads)
                .withMaxTokens(maxTokens)
                .withMemoryBudget(memoryBudget)
                .withPadding(padding)
                .withGemm(gemm);
        return gmacs == null ? options : options.withGmacs(gmacs);
    }

    /**
     * The same with a keep fraction for the routers.
     *
     * @param keep the fraction, or null for their own choice
     * @param network tells whether there are routers; without them, a fraction is warned of
     */
    MattingOptions options(Double keep, Architecture network) {
        if (keep == null) {
            return options();
        }
        if (network instanceof VitArchitecture && !network.routed()) {
            LOG.warn("--keep changes nothing: {} is a ViTMatte network, which has no routers", network.name());
        }
        return options().withKeep(keep);
    }

    /** Whether memory is limited. */
    boolean budgeted() {
        return memoryBudget > 0;
    }

    /** How images may overlap. On the processor a memory budget is for one at a time; a card's is for the card. */
    Pipeline.Overlap overlap(Matting matting) {
        if (matting.backend() != Backend.CPU) {
            return Pipeline.Overlap.CARD;
        }
        return budgeted() ? Pipeline.Overlap.NONE : Pipeline.Overlap.STEPS;
    }

    String dtype() {
        return Main.word(precision);
    }
}
