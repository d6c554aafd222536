package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jmatte.execution.ActiveArea;
import org.jmatte.kernels.ElementType;
import org.jmatte.kernels.MapOptions;
import org.jmatte.kernels.Tensor;

/**
 * A convolutional part, produced in full-width strips of the image, of which every map keeps the rows that the next
 * strip needs. So each row of each map is computed once, and no map at full resolution is whole. Blocks of columns that
 * influence no wanted pixel are left out.
 */
final class Strips {
    /** Produces rows {@code from} to {@code to} - 1, in the blocks of columns that are listed; null: in all. */
    @FunctionalInterface
    interface Step {
        void run(int from, int to, Tensor columns);
    }

    /** A step, and where its result is wanted. */
    private record Stage(IntUnaryOperator producedUpTo, int width, int scale, int reach, Step step) {
        int blocks() {
            return (width + MapOptions.COLUMN_BLOCK - 1) / MapOptions.COLUMN_BLOCK;
        }
    }

    /** A step's work for one strip; the blocks lie in the list from {@code first} on. */
    private record Task(Stage stage, int from, int to, int first, int blocks) {}

    private final GpuRun run;
    private final ActiveArea active;
    private final int height;
    private final int strip;
    private final List<Stage> stages = new ArrayList<>();

    /** Takes memory for all maps, in strips of {@code height} rows of the image, as high as fit. */
    Strips(GpuRun run, ActiveArea active, int height, List<StripMap> maps) {
        this.run = run;
        this.active = active;
        this.height = height;
        strip = run.tiling().stripRows(run.arena().mark(), height, rows -> maps.stream()
                .mapToLong(map -> map.bytes(rows))
                .sum());
        maps.forEach(map -> map.take(run, strip));
    }

    /** The rows and columns of a step. */
    static MapOptions part(int from, int to, Tensor columns) {
        MapOptions rows = MapOptions.NONE.rows(from, to);
        return columns == null ? rows : rows.columns(columns);
    }

    /** Adds a step that produces a map. */
    void add(StripMap map, Step step) {
        stages.add(new Stage(map::producedUpTo, map.width(), map.scale(), map.reach(), step));
    }

    /** Adds a step that produces the result, at the image's own size, from a map of its resolution. */
    void addResult(StripMap from, int width, Step step) {
        stages.add(new Stage(end -> Math.min(end, height), width, 1, from.reach(), step));
    }

    /** Runs all steps, strip by strip. */
    void produce() {
        List<Task> tasks = new ArrayList<>();
        List<Integer> listed = new ArrayList<>();
        int[] produced = new int[stages.size()];
        for (int top = 0; top < height; top += strip) {
            int bottom = Math.min(top + strip, run.geometry().canvasHeight());
            for (int s = 0; s < produced.length; s++) {
                Stage stage = stages.get(s);
                int to = stage.producedUpTo.applyAsInt(bottom);
                if (to > produced[s]) {
                    tasks.add(task(stage, produced[s], to, listed));
                    produced[s] = to;
                }
            }
        }
        // As many as there are where everything is wanted, so that a plan holds for every trimap.
        int most = tasks.stream().mapToInt(task -> task.stage.blocks()).sum();
        Tensor columns = run.take(ElementType.I32, most);
        if (run.sizesOnly()) {
            return;
        }
        upload(columns, listed);
        for (Task task : tasks) {
            if (task.blocks == task.stage.blocks()) {
                task.stage.step.run(task.from, task.to, null);
            } else if (task.blocks > 0) {
                run.checkCancelled();
                task.stage.step.run(task.from, task.to, columns.rows(task.first, task.blocks));
            }
        }
    }

    /** A task for the blocks of columns with wanted positions, which are added to the list; a plan is for all of them. */
    private Task task(Stage stage, int from, int to, List<Integer> blocks) {
        int first = blocks.size();
        if (run.planning()) {
            return new Task(stage, from, to, first, stage.blocks());
        }
        for (int block = 0; block < stage.blocks(); block++) {
            int left = block * MapOptions.COLUMN_BLOCK;
            int columns = Math.min(MapOptions.COLUMN_BLOCK, stage.width - left);
            if (active.reaches(stage.scale, stage.reach, from, left, to - from, columns)) {
                blocks.add(block);
            }
        }
        return new Task(stage, from, to, first, blocks.size() - first);
    }

    private void upload(Tensor columns, List<Integer> listed) {
        ByteBuffer bytes = ByteBuffer.allocate(listed.size() * Integer.BYTES).order(ByteOrder.nativeOrder());
        listed.forEach(bytes::putInt);
        run.device().copyToDevice(columns.pointer(), bytes.flip(), run.stream());
    }
}
