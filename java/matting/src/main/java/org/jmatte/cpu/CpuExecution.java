package org.jmatte.cpu;

import java.util.Optional;
import org.jmatte.Backend;
import org.jmatte.GemmLibrary;
import org.jmatte.InvalidInputException;
import org.jmatte.Isa;
import org.jmatte.Matte;
import org.jmatte.MatteRequest;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.Precision;
import org.jmatte.Roofline;
import org.jmatte.execution.Execution;
import org.jmatte.execution.NetworkSettings;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.jmatte.network.Architecture;
import org.jmatte.network.Geometry;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.ModelSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A model on the CPU: plans runs within the memory budget, and computes them. */
public final class CpuExecution extends Execution {
    private static final Logger LOG = LoggerFactory.getLogger(CpuExecution.class);

    private final CpuModel model;
    private final MattingOptions options;
    private final int threads;

    private CpuExecution(ModelSource source, MattingOptions options, Checkpoint checkpoint) {
        if (options.precision() == Precision.FP16) {
            throw new InvalidInputException("dtype: fp16 runs on a card only; use fp32 or bf16 on the CPU");
        }
        if (options.gemm() == GemmLibrary.CUBLAS) {
            throw new InvalidInputException("gemm: cublas runs on a card only; use own or auto on the CPU");
        }
        NativeLibraries.load(options.isa());
        if (options.precision() == Precision.BF16 && NativeLibraries.isa() == Isa.AVX2) {
            throw new InvalidInputException(
                    "dtype: bf16 on the CPU needs AVX-512, the instruction set in use is avx2; use fp32");
        }
        this.options = options;
        NetworkSettings settings = NetworkSettings.of(source, options);
        this.model = CpuModel.of(settings, checkpoint, ElementType.of(options.precision()));
        this.threads = WorkerPool.threads(options.threads());
    }

    /** Lays out the source's weights; the source may be closed after. */
    public static CpuExecution open(ModelSource source, MattingOptions options) {
        return new CpuExecution(source, options, source.checkpoint());
    }

    /** Plans only. */
    public static CpuExecution withoutWeights(ModelSource source, MattingOptions options) {
        return new CpuExecution(source, options, null);
    }

    @Override
    public Architecture architecture() {
        return model.settings().architecture();
    }

    @Override
    public Backend backend() {
        return Backend.CPU;
    }

    @Override
    protected Plan planned(int height, int width) {
        Geometry geometry = model.settings().geometry(height, width);
        Job job = model.job(geometry, MatteRequest.defaults());
        return fit(geometry, job, imageBytes(height, width, 8, Alpha.Format.U8)).toPlan();
    }

    @Override
    protected Matte run(Photo photo, Trimap trimap, MatteRequest request) {
        Geometry geometry = model.settings().geometry(photo.height(), photo.width());
        Job job = model.job(geometry, request);
        if (isKnown(trimap, request)) {
            return matte(prepared(trimap, request), job.none(), 0, 0, model.bytes(), model.bytes());
        }
        Fit fit = fit(geometry, job, imageBytes(photo.height(), photo.width(), photo.bits(), request.format()));
        Alpha alpha = prepared(trimap, request);
        try (Arena arena = Arena.of(fit.arenaBytes())) {
            CpuRun walk = CpuRun.computing(fit.walk, arena, request);
            if (request.runListener() != null) {
                request.runListener().begin(fit.toPlan());
            }
            Job.Choices choices = fit.job.compute(walk, photo, trimap, alpha);
            return matte(
                    alpha,
                    choices,
                    walk.encodeSeconds(),
                    walk.decodeSeconds(),
                    model.bytes() + arena.peak(),
                    fit.peakBytes());
        }
    }

    private static Matte matte(
            Alpha alpha, Job.Choices choices, double encode, double decode, long peakBytes, long plannedBytes) {
        return new Matte(
                alpha, choices.routing(), choices.closest(), choices.path(), encode, decode, peakBytes, plannedBytes);
    }

    /** A planned run with the settings that the memory budget leaves. */
    private final class Fit {
        private final CpuRun walk;
        private final Job job;
        private final long imageBytes;

        Fit(Geometry geometry, Tiling tiling, Job job, long imageBytes) {
            this.job = job;
            this.imageBytes = imageBytes;
            walk = CpuRun.planning(geometry, tiling, ElementType.of(options.precision()), threads);
            job.plan(walk);
        }

        long arenaBytes() {
            return walk.arena().peak();
        }

        long peakBytes() {
            return model.bytes() + arenaBytes();
        }

        boolean fits() {
            return options.memoryBudget() == 0 || totalBytes() <= options.memoryBudget();
        }

        /** What the budget speaks of. */
        long totalBytes() {
            return peakBytes() + imageBytes;
        }

        Plan toPlan() {
            long flops = 0;
            long movedBytes = 0;
            for (Plan.Stage stage : walk.stages()) {
                flops += stage.flops();
                movedBytes += stage.movedBytes();
            }
            return new Plan(
                    peakBytes(),
                    model.bytes(),
                    arenaBytes(),
                    imageBytes,
                    flops,
                    movedBytes,
                    job.tokenCap(),
                    job.gmacs(),
                    job.gmacs() * walk.geometry().referenceAreas(),
                    walk.geometry().paddedShare(walk.decodedPixels()),
                    walk.tiling().toString(),
                    walk.stages());
        }
    }

    /** Lowers tile sizes first and the token cap last, until the run fits the memory budget. */
    private Fit fit(Geometry geometry, Job job, long imageBytes) {
        for (Tiling tiling : Tiling.CHOICES) {
            Fit fit = new Fit(geometry, tiling, job, imageBytes);
            if (fit.fits()) {
                if (tiling != Tiling.CHOICES[0]) {
                    LOG.info("the memory budget of {} bytes takes {}", options.memoryBudget(), tiling);
                }
                return fit;
            }
        }
        // At very large sizes smaller chunks need more memory, for their partial sums: every tiling is tried.
        Fit least = null;
        for (Tiling tiling : Tiling.CHOICES) {
            Fit fit = new Fit(geometry, tiling, job.withTokenCap(1), imageBytes);
            if (least == null || fit.totalBytes() < least.totalBytes()) {
                least = fit;
            }
        }
        if (!least.fits()) {
            throw new InvalidInputException(
                    "memory budget: %dx%d pixels need at least %d bytes (%d MiB), got %d; give at least that, or a smaller photo"
                            .formatted(
                                    geometry.height(),
                                    geometry.width(),
                                    least.totalBytes(),
                                    (least.totalBytes() + (1 << 20) - 1) >> 20,
                                    options.memoryBudget()));
        }
        int fitting = 1;
        int too = job.tokens();
        while (too - fitting > 1) {
            int cap = (fitting + too) >>> 1;
            Fit tried = new Fit(geometry, least.walk.tiling(), job.withTokenCap(cap), imageBytes);
            if (tried.fits()) {
                least = tried;
                fitting = cap;
            } else {
                too = cap;
            }
        }
        LOG.warn(
                "the memory budget of {} bytes takes {} and lowers the token cap to {}: quality may suffer",
                options.memoryBudget(),
                least.walk.tiling(),
                fitting);
        return least;
    }

    @Override
    protected Optional<Roofline> measureRoofline() {
        return Optional.of(CpuRoofline.measure(ElementType.of(options.precision()), threads));
    }

    @Override
    protected void release() {
        model.close();
    }
}
