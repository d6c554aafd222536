package org.jmatte.weights;

import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The part of Python's pickle machine that tensors, containers, numbers and strings need. It never runs anything: a
 * global name is looked up in a fixed table, and a name outside it is refused.
 *
 * <p>Values become Java objects: None null, booleans {@link Boolean}, integers {@link Long} or {@link BigInteger},
 * floats {@link Double}, strings {@link String}, lists and tuples {@link List}, dictionaries {@link Map} (entries whose
 * key is no string are dropped), tensors {@link Tensor}; all else that is allowed becomes {@link #OPAQUE}.
 *
 * <p>Memory is bounded by {@link #MOST_STEPS} small objects plus the stream's own strings; no value is walked
 * recursively, so nesting costs nothing.
 */
final class Pickle {
    /** An allowed value that no tensor needs. */
    static final Object OPAQUE = new Object();

    private static final int MOST_STEPS = 1_000_000; // MEMatte-S takes 10^4, with trainer state 10^5
    private static final int LONGEST_GLOBAL = 256;
    private static final String RESAVE =
            "Nothing was run. Save only the tensors: torch.save(model.state_dict(), path).";

    /** What a REDUCE may call. */
    private enum Constructor {
        ORDERED_DICT,
        TENSOR,
        PARAMETER,
        SIZE,
        IGNORED
    }

    private static final Map<String, Object> GLOBALS = globals();

    /** Bytes that tensors share; {@code offset} counts elements from the start of storage {@code key}. */
    record Storage(String key, ElementType type, long elements, long offset) {}

    /** A view of a storage; {@code offset} and strides count elements. */
    record Tensor(Storage storage, long offset, long[] shape, long[] strides) {}

    private final ByteSource source;
    private final ByteBuffer in;
    private final Map<String, Storage> storages = new HashMap<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private ArrayList<Object> stack = new ArrayList<>();
    private final Deque<ArrayList<Object>> marked = new ArrayDeque<>();
    private int steps;

    /** Reads pickles from {@code in}'s position; {@code source} words the errors. */
    Pickle(ByteSource source, ByteBuffer in) {
        this.source = source;
        this.in = in.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The storages that the pickles read so far refer to, by key. */
    Map<String, Storage> storages() {
        return storages;
    }

    /** The value of the next pickle in the stream. */
    Object load() {
        memo.clear();
        marked.clear();
        stack.clear();
        try {
            while (true) {
                int opcode = Byte.toUnsignedInt(in.get());
                if (opcode == '.') {
                    return pop();
                }
                if (++steps > MOST_STEPS) {
                    throw source.error("at most " + MOST_STEPS + " pickle steps", "more", RESAVE);
                }
                step(opcode);
            }
        } catch (BufferUnderflowException e) {
            throw source.error("a complete pickle", "one cut short", ByteSource.DAMAGED);
        }
    }

    private void step(int opcode) {
        switch (opcode) {
            case 0x80 -> in.get(); // PROTO
            case 0x95 -> in.getLong(); // FRAME
            case '(' -> { // MARK
                marked.push(stack);
                stack = new ArrayList<>();
            }
            case '0' -> pop(); // POP
            case '1' -> popMark();
            case '2' -> push(peek(Object.class)); // DUP
            case 'N' -> push(null);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'K' -> push((long) Byte.toUnsignedInt(in.get())); // BININT1
            case 'M' -> push((long) Short.toUnsignedInt(in.getShort())); // BININT2
            case 'J' -> push((long) in.getInt()); // BININT
            case 0x8A -> push(longInteger(in.get() & 0xFF)); // LONG1
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong()))); // BINFLOAT
            case 'U', 0x8C -> push(string(in.get() & 0xFF)); // SHORT_BINSTRING, SHORT_BINUNICODE
            case 'T', 'X' -> push(string(in.getInt())); // BINSTRING, BINUNICODE
            case 'C' -> skipBytes(in.get() & 0xFF); // SHORT_BINBYTES
            case 'B' -> skipBytes(in.getInt()); // BINBYTES
            case ']' -> push(new ArrayList<>()); // EMPTY_LIST
            case ')' -> push(List.of()); // EMPTY_TUPLE
            case '}' -> push(new LinkedHashMap<>()); // EMPTY_DICT
            case 'a' -> append(popLast(1)); // APPEND
            case 'e' -> append(popMark()); // APPENDS
            case 't' -> push(popMark()); // TUPLE
            case 0x85 -> push(popLast(1)); // TUPLE1
            case 0x86 -> push(popLast(2)); // TUPLE2
            case 0x87 -> push(popLast(3)); // TUPLE3
            case 's' -> setItems(popLast(2)); // SETITEM
            case 'u' -> setItems(popMark()); // SETITEMS
            case 'q' -> memo.put(in.get() & 0xFF, peek(Object.class)); // BINPUT
            case 'r' -> memo.put(in.getInt(), peek(Object.class)); // LONG_BINPUT
            case 0x94 -> memo.put(memo.size(), peek(Object.class)); // MEMOIZE
            case 'h' -> push(remembered(in.get() & 0xFF)); // BINGET
            case 'j' -> push(remembered(in.getInt())); // LONG_BINGET
            case 'c' -> push(global(line(), line())); // GLOBAL
            case 0x93 -> { // STACK_GLOBAL
                String name = pop(String.class);
                push(global(pop(String.class), name));
            }
            case 'R' -> { // REDUCE
                List<?> arguments = pop(List.class);
                push(construct(pop(Constructor.class), arguments));
            }
            case 'b' -> { // BUILD: attributes of a dictionary, as state_dict() leaves its _metadata; not needed
                pop();
                peek(Map.class);
            }
            case 'Q' -> push(storage(pop(List.class))); // BINPERSID
            default ->
                throw source.error(
                        "the pickle operations of tensors", String.format("operation 0x%02X", opcode), RESAVE);
        }
    }

    private void push(Object value) {
        stack.add(value);
    }

    private Object pop() {
        if (stack.isEmpty()) {
            throw source.error("a value on the pickle's stack", "none", ByteSource.DAMAGED);
        }
        return stack.remove(stack.size() - 1);
    }

    private <T> T pop(Class<T> type) {
        return as(type, pop());
    }

    private <T> T peek(Class<T> type) {
        Object value = pop();
        push(value);
        return as(type, value);
    }

    /** The values since the last mark, as the list that a tuple becomes. */
    private List<Object> popMark() {
        if (marked.isEmpty()) {
            throw source.error("a mark on the pickle's stack", "none", ByteSource.DAMAGED);
        }
        List<Object> values = stack;
        stack = marked.pop();
        return values;
    }

    private List<Object> popLast(int count) {
        Object[] values = new Object[count];
        for (int i = count - 1; i >= 0; i--) {
            values[i] = pop();
        }
        return Arrays.asList(values);
    }

    private <T> T as(Class<T> type, Object value) {
        if (value != null && !type.isInstance(value)) {
            throw unexpected(type.getSimpleName(), value);
        }
        if (value == null && type != Object.class) {
            throw unexpected(type.getSimpleName(), "None");
        }
        return type.cast(value);
    }

    private CheckpointException unexpected(String expected, Object found) {
        String kind =
                found instanceof String ? "'" + found + "'" : found.getClass().getSimpleName();
        return source.error("a pickled " + expected, kind, ByteSource.DAMAGED);
    }

    private void append(List<Object> values) {
        @SuppressWarnings("unchecked") // every list on the stack was made here, of Objects
        List<Object> target = peek(ArrayList.class);
        target.addAll(values);
    }

    private void setItems(List<?> keysAndValues) {
        @SuppressWarnings("unchecked") // every map on the stack was made here, by strings
        Map<String, Object> target = peek(Map.class);
        for (int i = 0; i + 1 < keysAndValues.size(); i += 2) {
            if (keysAndValues.get(i) instanceof String key) {
                target.put(key, keysAndValues.get(i + 1));
            }
        }
    }

    private Object remembered(int index) {
        Object value = memo.get(index);
        if (value == null && !memo.containsKey(index)) {
            throw source.error("a remembered pickle value " + index, "none", ByteSource.DAMAGED);
        }
        return value;
    }

    private Object longInteger(int length) {
        if (length == 0) {
            return 0L;
        }
        byte[] bigEndian = new byte[length];
        for (int i = length - 1; i >= 0; i--) {
            bigEndian[i] = in.get();
        }
        BigInteger value = new BigInteger(bigEndian);
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private String string(int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] utf8 = new byte[length];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private void skipBytes(int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        in.position(in.position() + length);
        push(OPAQUE);
    }

    private String line() {
        StringBuilder text = new StringBuilder();
        for (char c = (char) (in.get() & 0xFF); c != '\n'; c = (char) (in.get() & 0xFF)) {
            if (text.length() == LONGEST_GLOBAL) {
                throw source.error("the name of an object", "a longer text: " + text, RESAVE);
            }
            text.append(c);
        }
        return text.toString();
    }

    private Object global(String module, String name) {
        Object known = GLOBALS.get(module + "." + name);
        if (known == null) {
            throw source.error(
                    "only tensors, containers, numbers and strings",
                    "the object " + module + "." + name + ", which loading would run",
                    RESAVE);
        }
        return known;
    }

    private Object construct(Constructor constructor, List<?> arguments) {
        return switch (constructor) {
            case ORDERED_DICT -> orderedDictionary(arguments);
            case TENSOR ->
                new Tensor(
                        argument(Storage.class, arguments, 0),
                        argument(Long.class, arguments, 1),
                        longs(argument(List.class, arguments, 2)),
                        longs(argument(List.class, arguments, 3)));
            case PARAMETER -> argument(Tensor.class, arguments, 0);
            case SIZE -> argument(List.class, arguments, 0);
            case IGNORED -> OPAQUE;
        };
    }

    /** Empty from Python 3, which sets the items afterwards; Python 2 gives them as a list of pairs. */
    private Map<String, Object> orderedDictionary(List<?> arguments) {
        Map<String, Object> dictionary = new LinkedHashMap<>();
        if (!arguments.isEmpty()) {
            for (Object item : argument(List.class, arguments, 0)) {
                List<?> pair = as(List.class, item);
                dictionary.put(argument(String.class, pair, 0), argument(Object.class, pair, 1));
            }
        }
        return dictionary;
    }

    /** ("storage", type, key, device, elements), in the older layout with (view key, offset, elements) or None behind. */
    private Storage storage(List<?> id) {
        String kind = argument(String.class, id, 0);
        if (!kind.equals("storage")) {
            throw unexpected("reference to a storage", kind);
        }
        ElementType type = argument(ElementType.class, id, 1);
        String key = argument(String.class, id, 2);
        long elements = argument(Long.class, id, 4);
        long offset = 0;
        if (id.size() > 5 && id.get(5) != null) {
            offset = argument(Long.class, argument(List.class, id, 5), 1);
        }
        if (elements < 0 || offset < 0 || elements > Long.MAX_VALUE / 8 || offset > elements) {
            throw source.error(
                    "storage " + key + " of a sensible size",
                    elements + " elements and offset " + offset,
                    ByteSource.DAMAGED);
        }
        Storage first = storages.putIfAbsent(key, new Storage(key, type, elements, 0));
        if (first != null && (first.type != type || first.elements != elements)) {
            throw source.error("one type and size of storage " + key, "two", ByteSource.DAMAGED);
        }
        return new Storage(key, type, elements, offset);
    }

    private <T> T argument(Class<T> type, List<?> arguments, int index) {
        if (index >= arguments.size()) {
            throw source.error("argument " + index, "only " + arguments.size(), ByteSource.DAMAGED);
        }
        return as(type, arguments.get(index));
    }

    private long[] longs(List<?> values) {
        long[] longs = new long[Math.min(values.size(), 65)]; // more than PyTorch's 64 dimensions is refused later
        for (int i = 0; i < longs.length; i++) {
            longs[i] = as(Long.class, values.get(i));
        }
        return longs;
    }

    private static Map<String, Object> globals() {
        Map<String, Object> table = new HashMap<>();
        table.put("collections.OrderedDict", Constructor.ORDERED_DICT);
        table.put("torch._utils._rebuild_tensor", Constructor.TENSOR);
        table.put("torch._utils._rebuild_tensor_v2", Constructor.TENSOR);
        table.put("torch._utils._rebuild_parameter", Constructor.PARAMETER);
        table.put("torch.Size", Constructor.SIZE);
        table.put("torch.device", Constructor.IGNORED);
        table.put("_codecs.encode", Constructor.IGNORED); // byte strings, in the protocol of Python 2
        table.put("__builtin__.set", Constructor.IGNORED);
        table.put("builtins.set", Constructor.IGNORED);
        Map<String, ElementType> storageTypes = Map.of(
                "Half", ElementType.F16,
                "BFloat16", ElementType.BF16,
                "Float", ElementType.F32,
                "Double", ElementType.F64,
                "Char", ElementType.I8,
                "Short", ElementType.I16,
                "Int", ElementType.I32,
                "Long", ElementType.I64,
                "Byte", ElementType.U8,
                "Bool", ElementType.BOOL);
        storageTypes.forEach((name, type) -> {
            table.put("torch." + name + "Storage", type);
            table.put("torch.cuda." + name + "Storage", type);
        });
        for (String type : List.of("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64")) {
            table.put("torch." + type, OPAQUE);
        }
        table.put("torch.uint8", OPAQUE);
        table.put("torch.bool", OPAQUE);
        return Map.copyOf(table);
    }
}
