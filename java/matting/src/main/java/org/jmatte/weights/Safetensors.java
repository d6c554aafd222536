package org.jmatte.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a safetensors file: a header length (8 bytes), a JSON header ({@code {"name": {"dtype": "F32", "shape": [..],
 * "data_offsets": [begin, end]}, ...}}), then the data, which the tensors must cover without holes or overlaps.
 */
final class Safetensors {
    private static final long LONGEST_HEADER = 100_000_000; // the format's own limit
    private static final int MOST_TENSORS = 100_000;
    private static final int MOST_DIMENSIONS = 64;
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES) // a hostile header must not grow a shared table
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxNameLength(10_000)
                    .maxNumberLength(20)
                    .build())
            .build();

    private final ByteSource source;
    private final long dataStart;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    private Safetensors(ByteSource source, long dataStart) {
        this.source = source;
        this.dataStart = dataStart;
    }

    static Map<String, StoredTensor> parse(ByteSource source) {
        long length;
        try (ByteSource.Window window = source.window(0, Long.BYTES)) {
            length = window.bytes.getLong(0);
        }
        long most = Math.min(LONGEST_HEADER, source.size - Long.BYTES);
        if (length < 0 || length > most) {
            throw source.error(
                    "a safetensors header of at most " + most + " bytes",
                    "a header length of " + Long.toUnsignedString(length),
                    ByteSource.DAMAGED);
        }
        Safetensors header = new Safetensors(source, Long.BYTES + length);
        try (ByteSource.Window window = source.window(Long.BYTES, length);
                JsonParser json = JSON.createParser(new ByteBufferBackedInputStream(window.bytes))) {
            header.read(json);
        } catch (IOException e) {
            throw source.error(
                    "a safetensors header", "JSON that cannot be read: " + e.getMessage(), ByteSource.DAMAGED);
        }
        header.checkCover();
        return header.tensors;
    }

    private void read(JsonParser json) throws IOException {
        require(json.nextToken() == JsonToken.START_OBJECT, "a JSON object", json);
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            require(json.nextToken() == JsonToken.START_OBJECT, "an object for " + name, json);
            if (name.equals("__metadata__")) {
                json.skipChildren();
            } else if (tensors.put(name, tensor(name, json)) != null) {
                throw source.error("each tensor once", "two named " + name, ByteSource.DAMAGED);
            } else if (tensors.size() > MOST_TENSORS) {
                throw source.error("at most " + MOST_TENSORS + " tensors", "more", ByteSource.DAMAGED);
            }
        }
        require(json.nextToken() == null, "nothing behind the header's object", json);
    }

    private StoredTensor tensor(String name, JsonParser json) throws IOException {
        ElementType type = null;
        long[] shape = null;
        long[] offsets = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            json.nextToken();
            if (key.equals("dtype") && type == null) {
                type = type(name, json);
            } else if (key.equals("shape") && shape == null) {
                shape = longs(name, json);
            } else if (key.equals("data_offsets") && offsets == null) {
                offsets = longs(name, json);
            } else {
                throw source.error(
                        "dtype, shape and data_offsets once each for " + name, "'" + key + "'", ByteSource.DAMAGED);
            }
        }
        if (type == null || shape == null || offsets == null || offsets.length != 2) {
            throw source.error(
                    "dtype, shape and two data_offsets for " + name, "an incomplete entry", ByteSource.DAMAGED);
        }
        long[] strides = StoredTensor.rowMajor(shape);
        long bytes = StoredTensor.span(shape, strides) * type.bytes();
        long available = source.size - dataStart;
        if (bytes < 0 || offsets[0] < 0 || offsets[1] > available || offsets[1] - offsets[0] != bytes) {
            throw source.error(
                    "tensor " + name + " of shape " + Arrays.toString(shape) + " and type " + type
                            + " to lie within the file's " + available + " bytes of data",
                    "the range " + Arrays.toString(offsets),
                    ByteSource.DAMAGED);
        }
        TensorInfo info = new TensorInfo(name, type, shape);
        return new StoredTensor(info, ByteOrder.LITTLE_ENDIAN, dataStart + offsets[0], strides);
    }

    private ElementType type(String name, JsonParser json) throws IOException {
        String text = json.getValueAsString("");
        for (ElementType type : ElementType.values()) {
            if (type.name().equals(text)) {
                return type;
            }
        }
        throw source.error(
                "one of " + Arrays.toString(ElementType.values()) + " for " + name,
                "dtype '" + text + "'",
                "Convert the tensor to float32.");
    }

    private long[] longs(String name, JsonParser json) throws IOException {
        List<Long> values = new ArrayList<>();
        require(json.currentToken() == JsonToken.START_ARRAY, "an array of numbers for " + name, json);
        while (json.nextToken() != JsonToken.END_ARRAY) {
            boolean fits = json.currentToken() == JsonToken.VALUE_NUMBER_INT && values.size() < MOST_DIMENSIONS;
            require(fits, "at most " + MOST_DIMENSIONS + " whole numbers for " + name, json);
            values.add(json.getLongValue());
        }
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    private void require(boolean condition, String expected, JsonParser json) {
        if (!condition) {
            throw source.error(expected + " in the safetensors header", "" + json.currentToken(), ByteSource.DAMAGED);
        }
    }

    private void checkCover() {
        List<StoredTensor> inOrder = new ArrayList<>(tensors.values());
        inOrder.sort(Comparator.comparingLong(StoredTensor::offset).thenComparingLong(Safetensors::end));
        long at = dataStart;
        for (StoredTensor tensor : inOrder) {
            if (tensor.offset() != at) {
                throw source.error(
                        "tensor " + tensor.info().name() + " to start where its predecessor ends, at byte " + at,
                        tensor.offset() < at ? "an overlap" : "a hole",
                        ByteSource.DAMAGED);
            }
            at = end(tensor);
        }
        if (at != source.size) {
            throw source.error("a file of " + at + " bytes", source.size + " bytes", ByteSource.DAMAGED);
        }
    }

    private static long end(StoredTensor tensor) {
        TensorInfo info = tensor.info();
        return tensor.offset() + info.elements() * info.type().bytes();
    }
}
