package org.jmatte.gpu;

import java.nio.FloatBuffer;
import java.util.Map;
import org.jmatte.weights.Checkpoint;
import org.jmatte.weights.TensorInfo;

/** A checkpoint with values multiplied. */
record ScaledCheckpoint(Checkpoint checkpoint, Factor factor) implements Checkpoint {
    /** What a value is multiplied with: by its tensor, the place along the first axis, and that along all others. */
    @FunctionalInterface
    interface Factor {
        float of(String name, int row, int column);
    }

    @Override
    public String description() {
        return checkpoint.description();
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return checkpoint.tensors();
    }

    @Override
    public void read(String name, FloatBuffer target) {
        int from = target.position();
        checkpoint.read(name, target);
        int columns = Math.max(1, (target.position() - from) / rows(name));
        for (int i = from; i < target.position(); i++) {
            target.put(i, target.get(i) * factor.of(name, (i - from) / columns, (i - from) % columns));
        }
    }

    private int rows(String name) {
        long[] shape = tensors().get(name).shape();
        return shape.length == 0 ? 1 : (int) Math.max(1, shape[0]);
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
