package org.jmatte.weights;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/** Named tensors of an opened checkpoint. Any number of threads may read at once. */
public interface Checkpoint extends AutoCloseable {
    /**
     * Opens a safetensors or PyTorch file, recognised by its content, with its tensors under the names the file gives.
     * Of a wrapped dictionary ({@code {"model": ...}} or {@code {"state_dict": ...}}), the tensors inside.
     *
     * @throws CheckpointException if the file is missing, damaged, lies about its content, or asks for objects that
     *     tensors do not need
     */
    static Checkpoint open(Path file) {
        return CheckpointFile.open(ByteSource.file(file));
    }

    /** The file's path, or {@code seeded:NAME:SEED}. */
    String description();

    /** Every tensor by its name, in the file's order; unmodifiable. */
    Map<String, TensorInfo> tensors();

    /**
     * Puts the whole tensor at {@code target}'s position, row-major, as float32, and advances the position.
     *
     * @param target at least {@link TensorInfo#elements()} remaining; heap or direct, fastest in native byte order
     * @throws IllegalArgumentException if there is no such tensor, or the target is too small
     * @throws IllegalStateException if the checkpoint was closed
     * @throws CheckpointException if the file cannot be read
     */
    void read(String name, FloatBuffer target);

    /** Releases the file. A read under way in another thread still finishes or fails cleanly. */
    @Override
    void close();
}
