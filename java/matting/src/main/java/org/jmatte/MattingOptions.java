package org.jmatte;

import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How a model is run. Immutable; start from {@link #defaults()} and change what differs.
 *
 * @param backend what executes the network
 * @param device which card, by the driver's number from 0; -1 means the first that can run the kernels
 * @param precision element type of the operands
 * @param stream element type of the residual stream on a card
 * @param isa instruction set of the CPU backend; one choice per process
 * @param threads worker threads of the CPU backend; 0 means one per processor. The result does not
 *     depend on it, unless a memory budget is so tight that the threads' scratch decides the token cap
 * @param maxTokens most tokens that attend globally in each routed block, at least 1; like {@code keep} and
 *     {@code padding} only for MEMatte and ViTMatte: PAM refuses what is not the default
 * @param keep where present, every router keeps this fraction of the tokens (0 to 1, at most {@code maxTokens}): those
 *     of largest margin, whatever its sign. For benchmarks and plans
 * @param gmacs where present, most multiply-adds of a matte in units of 10^9 per 1024x1024 pixels, for path-adaptive
 *     networks; what is below the smallest sub-network is refused when the model is opened
 * @param memoryBudget bytes for weights, activations and image buffers; 0 means no limit
 * @param padding how photos are padded
 * @param gemm whose matrix products run on a card; a vendor's library takes memory beside the plan's
 */
public record MattingOptions(
        Backend backend,
        int device,
        Precision precision,
        StreamType stream,
        Isa isa,
        int threads,
        int maxTokens,
        OptionalDouble keep,
        OptionalInt gmacs,
        long memoryBudget,
        Padding padding,
        GemmLibrary gemm) {

    /** The token cap of the original implementation. */
    public static final int DEFAULT_MAX_TOKENS = 18500;

    /** Stands for the first card that can run the kernels. */
    public static final int ANY_DEVICE = -1;

    public MattingOptions {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(stream, "stream");
        Objects.requireNonNull(isa, "isa");
        Objects.requireNonNull(keep, "keep");
        Objects.requireNonNull(gmacs, "gmacs");
        Objects.requireNonNull(padding, "padding");
        Objects.requireNonNull(gemm, "gemm");
        if (device < ANY_DEVICE) {
            throw new InvalidInputException("device: expected a card's number from 0, or -1 for any, got " + device);
        }
        if (threads < 0 || threads > 1024) {
            throw new InvalidInputException("threads: expected 1 to 1024, or 0 for one per processor, got " + threads);
        }
        if (maxTokens < 1) {
            throw new InvalidInputException("max tokens: expected at least 1, got " + maxTokens);
        }
        if (keep.isPresent() && !(keep.getAsDouble() > 0 && keep.getAsDouble() <= 1)) {
            throw new InvalidInputException(
                    "keep: expected a fraction above 0 and at most 1, got " + keep.getAsDouble());
        }
        if (memoryBudget < 0) {
            throw new InvalidInputException("memory budget: expected bytes, or 0 for no limit, got " + memoryBudget);
        }
    }

    public static MattingOptions defaults() {
        return new MattingOptions(
                Backend.AUTO,
                ANY_DEVICE,
                Precision.FP32,
                StreamType.AUTO,
                Isa.AUTO,
                0,
                DEFAULT_MAX_TOKENS,
                OptionalDouble.empty(),
                OptionalInt.empty(),
                0,
                Padding.AUTO,
                GemmLibrary.OWN);
    }

    public MattingOptions withBackend(Backend value) {
        return new MattingOptions(
                value, device, precision, stream, isa, threads, maxTokens, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withDevice(int value) {
        return new MattingOptions(
                backend, value, precision, stream, isa, threads, maxTokens, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withStream(StreamType value) {
        return new MattingOptions(
                backend, device, precision, value, isa, threads, maxTokens, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withPrecision(Precision value) {
        return new MattingOptions(
                backend, device, value, stream, isa, threads, maxTokens, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withIsa(Isa value) {
        return new MattingOptions(
                backend,
                device,
                precision,
                stream,
                value,
                threads,
                maxTokens,
                keep,
                gmacs,
                memoryBudget,
                padding,
                gemm);
    }

    public MattingOptions withThreads(int value) {
        return new MattingOptions(
                backend, device, precision, stream, isa, value, maxTokens, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withMaxTokens(int value) {
        return new MattingOptions(
                backend, device, precision, stream, isa, threads, value, keep, gmacs, memoryBudget, padding, gemm);
    }

    public MattingOptions withKeep(double value) {
        return new MattingOptions(
                backend,
                device,
                precision,
                stream,
                isa,
                threads,
                maxTokens,
                OptionalDouble.of(value),
                gmacs,
                memoryBudget,
                padding,
                gemm);
    }

    public MattingOptions withGmacs(int value) {
        return new MattingOptions(
                backend,
                device,
                precision,
                stream,
                isa,
                threads,
                maxTokens,
                keep,
                OptionalInt.of(value),
                memoryBudget,
                padding,
                gemm);
    }

    public MattingOptions withMemoryBudget(long value) {
        return new MattingOptions(
                backend, device, precision, stream, isa, threads, maxTokens, keep, gmacs, value, padding, gemm);
    }

    public MattingOptions withPadding(Padding value) {
        return new MattingOptions(
                backend, device, precision, stream, isa, threads, maxTokens, keep, gmacs, memoryBudget, value, gemm);
    }

    public MattingOptions withGemm(GemmLibrary value) {
        return new MattingOptions(
                backend, device, precision, stream, isa, threads, maxTokens, keep, gmacs, memoryBudget, padding, value);
    }
}
