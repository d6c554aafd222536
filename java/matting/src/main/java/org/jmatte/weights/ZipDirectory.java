package org.jmatte.weights;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The table of a zip archive with stored (uncompressed) entries, which is how PyTorch writes. Only the central
 * directory counts, with its 64-bit extension; compressed or encrypted entries are listed, but cannot be located.
 */
final class ZipDirectory {
    private static final int LOCAL_HEADER = 0x04034B50;
    private static final int CENTRAL_HEADER = 0x02014B50;
    private static final int END = 0x06054B50;
    private static final int END_64 = 0x06064B50;
    private static final int LOCATOR_64 = 0x07064B50;
    private static final int END_SIZE = 22;
    private static final int LOCATOR_64_SIZE = 20;
    private static final int END_64_SIZE = 56;
    private static final int LOCAL_HEADER_SIZE = 30;
    private static final long IN_EXTENSION = 0xFFFFFFFFL;
    private static final int MOST_ENTRIES = 200_000;
    private static final long LARGEST_DIRECTORY = 64 << 20;

    /** One file of the archive: its bytes start at {@code header}, behind a local header of unknown length. */
    private record Entry(String name, int method, int flags, long header, long size) {}

    private final ByteSource source;
    private final Map<String, Entry> entries = new HashMap<>();

    ZipDirectory(ByteSource source) {
        this.source = source;
        try {
            read();
        } catch (BufferUnderflowException e) {
            throw source.error("a complete zip directory", "one cut short", ByteSource.DAMAGED);
        }
        checkOverlap();
    }

    Set<String> names() {
        return entries.keySet();
    }

    /** Where the bytes of entry {@code name} lie. */
    ByteSource.Range locate(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw source.error("the archive to hold " + name, "no such entry", ByteSource.DAMAGED);
        }
        if (entry.method != 0 || (entry.flags & 1) != 0) {
            throw source.error(
                    name + " stored as torch.save does",
                    (entry.flags & 1) != 0 ? "it encrypted" : "it compressed (method " + entry.method + ")",
                    "Unpack and zip it again without compression, or save it again with torch.save.");
        }
        try (ByteSource.Window window = source.window(entry.header, LOCAL_HEADER_SIZE)) {
            if (window.bytes.getInt(0) != LOCAL_HEADER) {
                throw source.error("a zip entry header for " + name, "other bytes", ByteSource.DAMAGED);
            }
            int names = Short.toUnsignedInt(window.bytes.getShort(26)) + Short.toUnsignedInt(window.bytes.getShort(28));
            long offset = entry.header + LOCAL_HEADER_SIZE + names;
            if (entry.size > source.size - offset) {
                throw source.error(
                        name + " with " + entry.size + " bytes at " + offset,
                        "a file of " + source.size + " bytes",
                        ByteSource.DAMAGED);
            }
            return new ByteSource.Range(offset, entry.size);
        }
    }

    private void read() {
        long end = findEnd();
        long count;
        long size;
        long offset;
        try (ByteSource.Window window = source.window(end, END_SIZE)) {
            ByteBuffer bytes = window.bytes;
            count = Short.toUnsignedLong(bytes.getShort(10));
            size = Integer.toUnsignedLong(bytes.getInt(12));
            offset = Integer.toUnsignedLong(bytes.getInt(16));
        }
        if (count == 0xFFFF || size == IN_EXTENSION || offset == IN_EXTENSION) {
            try (ByteSource.Window window = source.window(findEnd64(end), END_64_SIZE)) {
                ByteBuffer bytes = window.bytes;
                if (bytes.getInt(0) != END_64) {
                    throw source.error("a 64-bit end of the zip directory", "other bytes", ByteSource.DAMAGED);
                }
                count = bytes.getLong(32);
                size = bytes.getLong(40);
                offset = bytes.getLong(48);
            }
        }
        if (count < 0 || count > MOST_ENTRIES || size < 0 || size > LARGEST_DIRECTORY) {
            throw source.error(
                    "at most " + MOST_ENTRIES + " zip entries in " + LARGEST_DIRECTORY + " bytes",
                    count + " in " + size,
                    ByteSource.DAMAGED);
        }
        try (ByteSource.Window window = source.window(offset, size)) {
            for (long i = 0; i < count; i++) {
                Entry entry = readEntry(window.bytes);
                if (entries.put(entry.name, entry) != null) {
                    throw source.error("each zip entry once", "two named " + entry.name, ByteSource.DAMAGED);
                }
            }
        }
    }

    /** The end record stands last, but for a comment of up to 64 KiB. */
    private long findEnd() {
        long start = Math.max(0, source.size - END_SIZE - 0xFFFF);
        try (ByteSource.Window window = source.window(start, source.size - start)) {
            for (int i = window.bytes.limit() - END_SIZE; i >= 0; i--) {
                if (window.bytes.getInt(i) == END) {
                    return start + i;
                }
            }
        }
        throw source.error("a zip directory at the file's end", "none", ByteSource.DAMAGED);
    }

    private long findEnd64(long end) {
        try (ByteSource.Window window = source.window(end - LOCATOR_64_SIZE, LOCATOR_64_SIZE)) {
            if (window.bytes.getInt(0) != LOCATOR_64) {
                throw source.error("a 64-bit zip directory", "no pointer to one", ByteSource.DAMAGED);
            }
            return window.bytes.getLong(8);
        }
    }

    private Entry readEntry(ByteBuffer bytes) {
        if (bytes.getInt() != CENTRAL_HEADER) {
            throw source.error("a zip directory entry", "other bytes", ByteSource.DAMAGED);
        }
        bytes.getInt(); // versions
        int flags = bytes.getShort();
        int method = Short.toUnsignedInt(bytes.getShort());
        bytes.getLong(); // time and checksum
        boolean compressedExtended = bytes.getInt() == -1; // the size itself: that of stored entries is the plain one
        long size = Integer.toUnsignedLong(bytes.getInt());
        byte[] name = new byte[Short.toUnsignedInt(bytes.getShort())];
        int extraLength = Short.toUnsignedInt(bytes.getShort());
        int commentLength = Short.toUnsignedInt(bytes.getShort());
        bytes.getLong(); // disk and attributes
        long header = Integer.toUnsignedLong(bytes.getInt());
        bytes.get(name);
        ByteBuffer extra = take(bytes, extraLength);
        take(bytes, commentLength);
        if (size == IN_EXTENSION || header == IN_EXTENSION) {
            ByteBuffer wide = extension(extra);
            size = size == IN_EXTENSION ? wide.getLong() : size;
            if (compressedExtended) {
                wide.getLong();
            }
            header = header == IN_EXTENSION ? wide.getLong() : header;
        }
        String text = new String(name, StandardCharsets.UTF_8);
        if (size < 0 || header < 0 || header > source.size - LOCAL_HEADER_SIZE || size > source.size) {
            throw source.error(
                    text + " within the file's " + source.size + " bytes",
                    size + " bytes behind offset " + header,
                    ByteSource.DAMAGED);
        }
        return new Entry(text, method, flags, header, size);
    }

    private static ByteBuffer take(ByteBuffer bytes, int length) {
        if (length > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        ByteBuffer part = bytes.slice(bytes.position(), length).order(bytes.order());
        bytes.position(bytes.position() + length);
        return part;
    }

    /** The 64-bit values among an entry's extra fields. */
    private static ByteBuffer extension(ByteBuffer extra) {
        while (true) {
            int kind = extra.getShort();
            ByteBuffer field = take(extra, Short.toUnsignedInt(extra.getShort()));
            if (kind == 1) {
                return field;
            }
        }
    }

    private void checkOverlap() {
        List<Entry> inOrder = new ArrayList<>(entries.values());
        inOrder.sort(Comparator.comparingLong(Entry::header));
        Entry before = null;
        for (Entry entry : inOrder) {
            if (before != null
                    && before.method == 0
                    && entry.header < before.header + LOCAL_HEADER_SIZE + before.size) {
                throw source.error(entry.name + " to lie behind " + before.name, "an overlap", ByteSource.DAMAGED);
            }
            before = entry;
        }
    }
}
