package org.jmatte.weights;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Reads what torch.save writes since 1.6: a zip archive with {@code NAME/data.pkl}, the pickled object, and one {@code
 * NAME/data/KEY} per storage.
 */
final class PyTorchZip {
    private static final String PICKLE = "/data.pkl";

    private PyTorchZip() {}

    static Map<String, StoredTensor> parse(ByteSource source) {
        ZipDirectory zip = new ZipDirectory(source);
        List<String> pickles = zip.names().stream()
                .filter(name -> name.endsWith(PICKLE) && name.indexOf('/') == name.length() - PICKLE.length())
                .toList();
        if (pickles.size() != 1) {
            throw source.error(
                    "a zip archive that torch.save wrote, with one data.pkl",
                    pickles.size() + " among " + zip.names().size() + " entries",
                    "Give the .pth file itself.");
        }
        String pickle = pickles.get(0);
        String folder = pickle.substring(0, pickle.length() - PICKLE.length() + 1);
        ByteSource.Range range = zip.locate(pickle);
        if (range.size() > PyTorch.LONGEST_PICKLE) {
            throw source.error(
                    "a pickle of at most " + PyTorch.LONGEST_PICKLE + " bytes",
                    range.size() + " bytes",
                    "Save only the state dictionary.");
        }
        Object root;
        try (ByteSource.Window window = source.window(range.offset(), range.size())) {
            root = new Pickle(source, window.bytes).load();
        }
        return PyTorch.resolve(
                source, root, byteOrder(source, zip, folder), storage -> zip.locate(folder + "data/" + storage.key()));
    }

    private static ByteOrder byteOrder(ByteSource source, ZipDirectory zip, String folder) {
        String entry = folder + "byteorder";
        if (!zip.names().contains(entry)) {
            return ByteOrder.LITTLE_ENDIAN; // files before PyTorch 2.1 do not say
        }
        ByteSource.Range range = zip.locate(entry);
        byte[] text = new byte[(int) Math.min(range.size(), 16)];
        try (ByteSource.Window window = source.window(range.offset(), text.length)) {
            window.bytes.get(text);
        }
        return switch (new String(text, StandardCharsets.UTF_8)) {
            case "little" -> ByteOrder.LITTLE_ENDIAN;
            case "big" -> ByteOrder.BIG_ENDIAN;
            default -> throw source.error("byte order little or big", "another", ByteSource.DAMAGED);
        };
    }
}
