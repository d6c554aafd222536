package org.jmatte.weights;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What both layouts of PyTorch's files have in common: from the pickled object to tensors with their place. */
final class PyTorch {
    /** Longest pickle that is read; MEMatte-S takes 100 KB. */
    static final long LONGEST_PICKLE = 64 << 20;

    private static final List<String> WRAPPERS = List.of("model", "state_dict");

    /** Where a storage's bytes start and how many there are. */
    interface Storages {
        ByteSource.Range locate(Pickle.Storage storage);
    }

    private PyTorch() {}

    /**
     * The tensors of a pickled dictionary, or of the state dictionary it wraps. Of the rest, such as a trainer's
     * state, nothing is looked at.
     */
    static Map<String, StoredTensor> resolve(ByteSource source, Object root, ByteOrder order, Storages storages) {
        if (!(root instanceof Map<?, ?> dictionary)) {
            throw source.error(
                    "a dictionary of tensors",
                    root instanceof Pickle.Tensor ? "a single tensor" : "another object",
                    "Save one: torch.save(model.state_dict(), path).");
        }
        Map<?, ?> state = dictionary;
        for (String wrapper : WRAPPERS) {
            if (dictionary.get(wrapper) instanceof Map<?, ?> wrapped) {
                state = wrapped;
                break;
            }
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        state.forEach((key, value) -> {
            if (key instanceof String name && value instanceof Pickle.Tensor tensor) {
                tensors.put(name, place(source, name, tensor, order, storages));
            }
        });
        if (tensors.isEmpty()) {
            throw source.error(
                    "a dictionary of tensors, or one under 'model' or 'state_dict'",
                    "no tensor",
                    "Save one: torch.save(model.state_dict(), path).");
        }
        return tensors;
    }

    private static StoredTensor place(
            ByteSource source, String name, Pickle.Tensor tensor, ByteOrder order, Storages storages) {
        Pickle.Storage storage = tensor.storage();
        long span = StoredTensor.span(tensor.shape(), tensor.strides());
        long first = storage.offset() + tensor.offset(); // the former is at most 2^60
        if (span < 0 || tensor.offset() < 0 || first < 0 || first > storage.elements() - span) {
            throw source.error(
                    "tensor " + name + " to lie within its storage of " + storage.elements() + " elements",
                    "shape " + Arrays.toString(tensor.shape()) + " with strides " + Arrays.toString(tensor.strides())
                            + " from element " + first,
                    ByteSource.DAMAGED);
        }
        ByteSource.Range range = storages.locate(storage);
        int width = storage.type().bytes();
        if (range.size() != storage.elements() * width) {
            throw source.error(
                    "storage " + storage.key() + " of tensor " + name + " with " + storage.elements() * width
                            + " bytes",
                    range.size() + " bytes",
                    ByteSource.DAMAGED);
        }
        TensorInfo info = new TensorInfo(name, storage.type(), tensor.shape());
        return new StoredTensor(info, order, range.offset() + first * width, tensor.strides());
    }
}
