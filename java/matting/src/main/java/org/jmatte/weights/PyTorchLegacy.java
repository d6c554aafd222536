package org.jmatte.weights;

import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what torch.save wrote before 1.6: five pickles (a magic number, the protocol, facts about the system, the
 * object, the list of storage keys), then each storage as its element count (8 bytes) and its bytes, little-endian.
 */
final class PyTorchLegacy {
    /** How such a file starts, one character per byte: pickle protocol 2, then the magic number. */
    static final String MAGIC = "\u0080\2\u008A\nl\u00FC\u009CF\u00F9 j\u00A8P\u0019";

    private static final long PROTOCOL = 1001;

    private PyTorchLegacy() {}

    static Map<String, StoredTensor> parse(ByteSource source) {
        Object root;
        Object keys;
        Map<String, Pickle.Storage> storages;
        long at;
        try (ByteSource.Window window = source.window(0, Math.min(source.size, PyTorch.LONGEST_PICKLE))) {
            Pickle pickle = new Pickle(source, window.bytes);
            pickle.load(); // the magic number, seen already
            if (!Long.valueOf(PROTOCOL).equals(pickle.load())) {
                throw source.error("PyTorch's file protocol " + PROTOCOL, "another", "Save it with a newer PyTorch.");
            }
            pickle.load(); // sizes of C types on the system that wrote it
            root = pickle.load();
            storages = Map.copyOf(pickle.storages());
            keys = pickle.load();
            at = window.bytes.position();
        }
        if (!(keys instanceof List<?> list)) {
            throw source.error("a list of storage keys", "another object", ByteSource.DAMAGED);
        }
        Map<String, ByteSource.Range> ranges = new HashMap<>();
        for (Object key : list) {
            Pickle.Storage storage = key instanceof String ? storages.get(key) : null;
            if (storage == null) {
                throw source.error("only storages that tensors use", "another", ByteSource.DAMAGED);
            }
            long elements;
            try (ByteSource.Window window = source.window(at, Long.BYTES)) {
                elements = window.bytes.getLong(0);
            }
            if (elements != storage.elements()) {
                throw source.error(
                        "storage " + key + " with " + storage.elements() + " elements",
                        elements + " elements",
                        ByteSource.DAMAGED);
            }
            long bytes = elements * storage.type().bytes();
            at += Long.BYTES;
            if (bytes > source.size - at) {
                throw source.error(
                        "storage " + key + " with " + bytes + " bytes at " + at,
                        "a file of " + source.size + " bytes",
                        ByteSource.DAMAGED);
            }
            ranges.put(storage.key(), new ByteSource.Range(at, bytes));
            at += bytes;
        }
        return PyTorch.resolve(source, root, ByteOrder.LITTLE_ENDIAN, storage -> {
            ByteSource.Range range = ranges.get(storage.key());
            if (range == null) {
                throw source.error("the bytes of storage " + storage.key(), "none", ByteSource.DAMAGED);
            }
            return range;
        });
    }
}
