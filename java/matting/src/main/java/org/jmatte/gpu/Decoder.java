package org.jmatte.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.Conv3x3;
import org.jmatte.kernels.DetailCapture;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.FeatureMap;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.PhotoPlanes;
import org.jmatte.kernels.Tensor;
import org.jmatte.network.VitArchitecture;
import org.jmatte.weights.Parameters.Scale;

/**
 * Detail capture: three stride-2 convolutions of the photo, four fusions of their maps with the twofold upsampled
 * features, and the matting head. Every convolution has its batch norm folded in and is followed by ReLU. Maps exist in
 * strips.
 */
final class Decoder {
    private static final int[] DETAIL = {48, 96, 192};
    private static final int[] FUSED = {256, 128, 64, 32};

    private final int features;
    private final Weights narrow;
    private final Tensor[] detailBias = new Tensor[DETAIL.length];
    private final Tensor[] fusedBias = new Tensor[FUSED.length];
    private final Tensor headBias;
    private final Tensor alphaWeights;
    private final float alphaBias;

    /** The convolutions' weights in one type. */
    private record Weights(Tensor[] detail, Tensor[] fusedDetail, Tensor[] fusedUp, Tensor head) {
        Weights widened(GpuRun run) {
            return new Weights(
                    widened(run, detail), widened(run, fusedDetail), widened(run, fusedUp), run.widened(head));
        }

        private static Tensor[] widened(GpuRun run, Tensor[] weights) {
            return Stream.of(weights).map(run::widened).toArray(Tensor[]::new);
        }
    }

    Decoder(GpuWeights weights, int features) {
        this.features = features;
        Tensor[] detail = new Tensor[DETAIL.length];
        Tensor[] fusedDetail = new Tensor[FUSED.length];
        Tensor[] fusedUp = new Tensor[FUSED.length];
        for (int i = 0; i < DETAIL.length; i++) {
            String name = "decoder.convstream.convs." + i + ".";
            Scale norm = weights.parameters().batchNorm(name + "bn");
            int inputs = i == 0 ? PhotoPlanes.PLANES : DETAIL[i - 1];
            detail[i] = weights.convolution(name + "conv", norm, 0, inputs);
            detailBias[i] = weights.foldedBias(name + "conv", norm);
        }
        for (int i = 0; i < FUSED.length; i++) {
            String name = "decoder.fusion_blks." + i + ".conv.";
            Scale norm = weights.parameters().batchNorm(name + "bn");
            int details = i < DETAIL.length ? DETAIL[DETAIL.length - 1 - i] : PhotoPlanes.PLANES;
            int low = i == 0 ? features : FUSED[i - 1];
            fusedDetail[i] = weights.convolution(name + "conv", norm, 0, details);
            fusedUp[i] = weights.convolution(name + "conv", norm, details, details + low);
            fusedBias[i] = weights.foldedBias(name + "conv", norm);
        }
        String matting = "decoder.matting_head.matting_convs.";
        Scale norm = weights.parameters().batchNorm(matting + "1");
        Tensor head = weights.convolution(matting + "0", norm, 0, FUSED[FUSED.length - 1]);
        narrow = new Weights(detail, fusedDetail, fusedUp, head);
        headBias = weights.foldedBias(matting + "0", norm);
        alphaWeights = weights.vector(matting + "3.weight");
        alphaBias = weights.parameters().values(matting + "3.bias")[0];
    }

    /**
     * Decodes the stream into alpha.
     *
     * @param active where pixels are wanted
     * @param keepKnown whether the trimap's known values replace the result
     */
    void run(GpuRun run, Tensor x, DeviceImages images, ActiveArea active, boolean keepKnown) {
        run.band(
                Overflow.decoder(),
                "rows",
                0,
                run.geometry().height(),
                () -> {
                    decode(run, x, images, active, keepKnown, run.operands(), narrow);
                    return () -> {};
                },
                () -> {
                    run.forgetNotNumbers();
                    decode(run, x, images, active, keepKnown, ElementType.FP32, narrow.widened(run));
                });
    }

    private void decode(
            GpuRun run,
            Tensor x,
            DeviceImages images,
            ActiveArea active,
            boolean keepKnown,
            ElementType type,
            Weights weights) {
        // Rows ahead and reach follow from the 3x3 convolutions and the bilinear taps below each map.
        StripMap d1 = StripMap.of(run, type, DETAIL[0], 2, 12, 0, 40);
        StripMap d2 = StripMap.of(run, type, DETAIL[1], 4, 6, 0, 36);
        StripMap d3 = StripMap.of(run, type, DETAIL[2], 8, 3, 0, 24);
        StripMap f0 = StripMap.of(run, type, FUSED[0], 8, 2, 0, 16);
        StripMap f1 = StripMap.of(run, type, FUSED[1], 4, 2, 0, 8);
        StripMap f2 = StripMap.of(run, type, FUSED[2], 2, 2, 0, 4);
        StripMap f3 = StripMap.of(run, type, FUSED[3], 1, 2, 1, 2);
        List<StripMap> maps = new ArrayList<>(List.of(d1, d2, d3, f0, f1, f2, f3));
        int gridHeight = run.geometry().gridHeight();
        int gridWidth = run.geometry().gridWidth();
        StripMap converted = new StripMap(type, gridHeight, gridWidth, features, VitArchitecture.PATCH, 2, 0, 48);
        if (x.type() != type) {
            maps.add(converted);
        }
        run.scratch(() -> {
            Strips strips = new Strips(run, active, run.geometry().height(), maps);
            FeatureMap encoded;
            if (x.type() != type) {
                encoded = converted.map();
                strips.add(converted, (from, to, columns) -> convert(run, encoded, x, from, to));
            } else {
                encoded = FeatureMap.of(x.reshape(gridHeight, gridWidth, features));
            }
            PhotoPlanes photo = images.planes();
            strips.add(
                    d1,
                    (from, to, columns) -> Conv3x3.photo(
                            run.device(),
                            d1.map(),
                            photo,
                            weights.detail[0],
                            detailBias[0],
                            2,
                            relu(from, to, columns),
                            run.stream()));
            strips.add(d2, (from, to, columns) -> halve(run, weights, 1, d2.map(), d1.map(), relu(from, to, columns)));
            strips.add(d3, (from, to, columns) -> halve(run, weights, 2, d3.map(), d2.map(), relu(from, to, columns)));
            strips.add(
                    f0, (from, to, columns) -> fuse(run, weights, 0, f0.map(), d3.map(), encoded, from, to, columns));
            strips.add(
                    f1, (from, to, columns) -> fuse(run, weights, 1, f1.map(), d2.map(), f0.map(), from, to, columns));
            strips.add(
                    f2, (from, to, columns) -> fuse(run, weights, 2, f2.map(), d1.map(), f1.map(), from, to, columns));
            strips.add(
                    f3,
                    (from, to, columns) -> DetailCapture.fusePhoto(
                            run.device(),
                            f3.map(),
                            f2.map(),
                            weights.fusedUp[3],
                            photo,
                            weights.fusedDetail[3],
                            fusedBias[3],
                            relu(from, to, columns),
                            run.stream()));
            strips.addResult(
                    f3,
                    run.geometry().width(),
                    (from, to, columns) -> DetailCapture.head(
                            run.device(),
                            images.alpha(),
                            f3.map(),
                            weights.head,
                            headBias,
                            alphaWeights,
                            alphaBias,
                            keepKnown ? images.trimap() : null,
                            run.notNumbers(),
                            Strips.part(from, to, columns),
                            run.stream()));
            strips.produce();
            run.countDecoded((long) f3.producedUpTo(run.geometry().height()) * f3.width());
        });
    }

    private static MapOptions relu(int from, int to, Tensor columns) {
        return Strips.part(from, to, columns).relu();
    }

    /** Rows of the stream as operands. */
    private static void convert(GpuRun run, FeatureMap out, Tensor x, int from, int to) {
        int width = out.width();
        int row = from;
        while (row < to) {
            int slot = row % out.ring();
            int rows = Math.min(to - row, out.ring() - slot);
            Tensor target = out.rows().rows(slot, rows).reshape((long) rows * width, out.channels());
            run.convert(target, x.rows((long) row * width, (long) rows * width), Overflow.decoder());
            row += rows;
        }
    }

    /** The next map of details, at half the resolution. */
    private void halve(GpuRun run, Weights weights, int i, FeatureMap out, FeatureMap in, MapOptions options) {
        Conv3x3.run(run.device(), out, in, weights.detail[i], detailBias[i], 2, options, run.stream());
    }

    private void fuse(
            GpuRun run,
            Weights weights,
            int i,
            FeatureMap out,
            FeatureMap details,
            FeatureMap low,
            int from,
            int to,
            Tensor columns) {
        Conv3x3.run(
                run.device(),
                out,
                details,
                weights.fusedDetail[i],
                null,
                1,
                Strips.part(from, to, columns),
                run.stream());
        DetailCapture.fuse(
                run.device(), out, low, weights.fusedUp[i], fusedBias[i], relu(from, to, columns), run.stream());
    }
}
