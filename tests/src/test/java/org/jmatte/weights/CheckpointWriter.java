package org.jmatte.weights;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;

/** Writes checkpoints as float32 files, as the Python libraries would, one tensor in memory at a time. */
public final class CheckpointWriter {
    private static final int ALIGNMENT = 64; // torch.save starts every entry's bytes at a multiple of it
    private static final int LOCAL_HEADER_SIZE = 30;
    private static final int FLAGS_UTF8 = 1 << 11;

    private CheckpointWriter() {}

    /** Writes a safetensors file. */
    public static void safetensors(Checkpoint checkpoint, Path file) {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        long at = 0;
        for (TensorInfo info : checkpoint.tensors().values()) {
            long end = at + info.elements() * Float.BYTES;
            header.append(String.format(
                    ",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
                    info.name(), Arrays.toString(info.shape()), at, end));
            at = end;
        }
        header.append('}');
        header.append(" ".repeat(-header.length() & 7));
        try (FileChannel out = create(file)) {
            byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
            write(out, little(Long.BYTES).putLong(json.length).flip());
            write(out, ByteBuffer.wrap(json));
            for (TensorInfo info : checkpoint.tensors().values()) {
                write(out, bytes(checkpoint, info));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes the zip layout of torch.save.
     *
     * @param wrapped whether to write {@code {"model": tensors, "iteration": 7, ...}} instead of the plain dictionary
     */
    public static void pytorch(Checkpoint checkpoint, Path file, boolean wrapped) {
        try (FileChannel out = create(file)) {
            Zip zip = new Zip(out);
            zip.add("archive/data.pkl", ByteBuffer.wrap(pickle(checkpoint.tensors(), wrapped)));
            zip.add("archive/byteorder", ascii("little"));
            int key = 0;
            for (TensorInfo info : checkpoint.tensors().values()) {
                zip.add("archive/data/" + key++, bytes(checkpoint, info));
            }
            zip.add("archive/version", ascii("3\n"));
            zip.finish();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    private static ByteBuffer bytes(Checkpoint checkpoint, TensorInfo info) {
        ByteBuffer bytes = little(Math.toIntExact(info.elements() * Float.BYTES));
        checkpoint.read(info.name(), bytes.asFloatBuffer());
        return bytes;
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private static byte[] pickle(Map<String, TensorInfo> tensors, boolean wrapped) {
        PickleOutput out = new PickleOutput();
        if (wrapped) {
            out.text("}(").string("model");
        }
        out.text("ccollections\nOrderedDict\n)R(");
        int key = 0;
        for (TensorInfo info : tensors.values()) {
            long[] shape = info.shape();
            out.string(info.name())
                    .text("ctorch._utils\n_rebuild_tensor_v2\n((")
                    .string("storage");
            out.text("ctorch\nFloatStorage\n").string(String.valueOf(key++)).string("cpu");
            out.integer(info.elements()).text("tQ").integer(0);
            out.tuple(shape).tuple(StoredTensor.rowMajor(shape));
            out.text("\u0089ccollections\nOrderedDict\n)RtR");
        }
        out.text("u");
        if (wrapped) {
            out.string("iteration")
                    .integer(7)
                    .string("names")
                    .text("](")
                    .string("a")
                    .text("N\u0088eu");
        }
        return out.text(".").bytes();
    }

    /** Pickle protocol 2, one character per byte. */
    private static final class PickleOutput {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        PickleOutput() {
            text("\u0080\u0002");
        }

        PickleOutput text(String operations) {
            out.writeBytes(operations.getBytes(StandardCharsets.ISO_8859_1));
            return this;
        }

        PickleOutput string(String value) {
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            text("X");
            out.writeBytes(little(Integer.BYTES).putInt(utf8.length).array());
            out.writeBytes(utf8);
            return this;
        }

        PickleOutput integer(long value) {
            text("J");
            out.writeBytes(little(Integer.BYTES).putInt(Math.toIntExact(value)).array());
            return this;
        }

        PickleOutput tuple(long[] values) {
            text("(");
            for (long value : values) {
                integer(value);
            }
            return text("t");
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }

    /** A zip archive of uncompressed entries, below 4 GiB. */
    private static final class Zip {
        private final FileChannel out;
        private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
        private int entries;

        Zip(FileChannel out) {
            this.out = out;
        }

        void add(String name, ByteBuffer bytes) throws IOException {
            byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
            CRC32 crc = new CRC32();
            crc.update(bytes.duplicate());
            int header = unsigned(out.position());
            // an extra field, itself with a header of 4 bytes, fills up to the alignment
            int padding = -(header + LOCAL_HEADER_SIZE + utf8.length + 4) & (ALIGNMENT - 1);
            ByteBuffer facts = little(24); // what both headers say
            facts.putShort((short) 0)
                    .putShort((short) FLAGS_UTF8)
                    .putShort((short) 0)
                    .putInt(0);
            facts.putInt((int) crc.getValue())
                    .putInt(bytes.remaining())
                    .putInt(bytes.remaining())
                    .putShort((short) utf8.length);
            ByteBuffer local = little(LOCAL_HEADER_SIZE + utf8.length + 4 + padding);
            local.put(ascii("PK\3\4")).put(facts.array()).putShort((short) (padding + 4));
            local.put(utf8).put(ascii("FB")).putShort((short) padding);
            write(out, local.rewind());
            write(out, bytes);

            ByteBuffer central = little(46 + utf8.length);
            central.put(ascii("PK\1\2")).putShort((short) 0).put(facts.array());
            central.putShort((short) 0)
                    .putShort((short) 0)
                    .putShort((short) 0)
                    .putShort((short) 0)
                    .putInt(0);
            directory.writeBytes(central.putInt(header).put(utf8).array());
            entries++;
        }

        void finish() throws IOException {
            int start = unsigned(out.position());
            write(out, ByteBuffer.wrap(directory.toByteArray()));
            ByteBuffer end = little(22).put(ascii("PK\5\6")).putInt(0);
            end.putShort((short) entries)
                    .putShort((short) entries)
                    .putInt(directory.size())
                    .putInt(start);
            write(out, end.rewind());
        }

        private static int unsigned(long offset) {
            if (offset >= 1L << 32) {
                throw new IllegalArgumentException("Archives beyond 4 GiB are not written here");
            }
            return (int) offset;
        }
    }
}
