package org.jmatte.weights;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The bytes of a checkpoint, of any size, seen through short-lived windows. A file's window is mapped when asked for
 * and unmapped when closed, so that files beyond 2 GiB need nothing special, pages already read do not count as the
 * process's memory, and closing the file while another thread reads harms nobody.
 */
abstract class ByteSource implements AutoCloseable {
    static final String DAMAGED = "The file is incomplete or damaged: copy or download it again.";

    /** Bytes {@code offset} to {@code offset + size} of a source. */
    record Range(long offset, long size) {}

    final String name;
    final long size;

    private ByteSource(String name, long size) {
        this.name = name;
        this.size = size;
    }

    /** Bytes {@code offset} to {@code offset + length}, little-endian; checked against the source's size. */
    final Window window(long offset, long length) {
        if (offset < 0 || length < 0 || offset > size - length) {
            throw error(length + " bytes at offset " + offset, "a file of " + size + " bytes", DAMAGED);
        }
        if (length > Integer.MAX_VALUE) {
            throw error("tensors of at most 2 GiB", length + " bytes", "No network here has so large ones.");
        }
        return map(offset, length);
    }

    abstract Window map(long offset, long length);

    @Override
    public void close() {}

    final CheckpointException error(String expected, String found, String remedy) {
        return CheckpointException.of(name, expected, found, remedy);
    }

    static ByteSource memory(String name, ByteBuffer bytes) {
        return new ByteSource(name, bytes.remaining()) {
            @Override
            Window map(long offset, long length) {
                ByteBuffer part = bytes.slice(bytes.position() + (int) offset, (int) length);
                return new Window(part.order(ByteOrder.LITTLE_ENDIAN), false);
            }
        };
    }

    static ByteSource file(Path path) {
        if (!Files.isRegularFile(path)) {
            String found = Files.exists(path) ? "something that is no file" : "nothing";
            throw CheckpointException.of(path.toString(), "a checkpoint file", found, "Check the path.");
        }
        try {
            FileChannel channel = FileChannel.open(path);
            return new MappedFile(path.toString(), channel, channel.size());
        } catch (IOException e) {
            throw new CheckpointException(path + ": the file cannot be opened (" + e + "). Check its access.", e);
        }
    }

    private static final class MappedFile extends ByteSource {
        private final FileChannel channel;

        MappedFile(String name, FileChannel channel, long size) {
            super(name, size);
            this.channel = channel;
        }

        @Override
        Window map(long offset, long length) {
            try {
                ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
                return new Window(mapped.order(ByteOrder.LITTLE_ENDIAN), true);
            } catch (ClosedByInterruptException e) {
                throw new CheckpointException(name + ": reading was interrupted. Open the checkpoint again.", e);
            } catch (ClosedChannelException e) {
                throw new IllegalStateException(name + " is closed", e);
            } catch (IOException e) {
                throw new CheckpointException(name + ": the file cannot be mapped (" + e + "). Check its disk.", e);
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new CheckpointException(name + ": the file cannot be closed (" + e + "). Check its disk.", e);
            }
        }
    }

    /** A range of the source; valid until closed, and not to be touched afterwards. */
    static final class Window implements AutoCloseable {
        final ByteBuffer bytes;
        private final boolean mapped;

        private Window(ByteBuffer bytes, boolean mapped) {
            this.bytes = bytes;
            this.mapped = mapped;
        }

        @Override
        public void close() {
            if (mapped) {
                Unmapper.unmap(bytes);
            }
        }
    }

    /** Unmaps at once: Java 17 has no public way, and leaves it to the garbage collector otherwise. */
    private static final class Unmapper {
        private static final Object UNSAFE;
        private static final Method INVOKE_CLEANER;

        static {
            try {
                Class<?> unsafe = Class.forName("sun.misc.Unsafe");
                Field instance = unsafe.getDeclaredField("theUnsafe");
                instance.setAccessible(true);
                UNSAFE = instance.get(null);
                INVOKE_CLEANER = unsafe.getMethod("invokeCleaner", ByteBuffer.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        static void unmap(ByteBuffer mapped) {
            try {
                INVOKE_CLEANER.invoke(UNSAFE, mapped);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("sun.misc.Unsafe.invokeCleaner failed", e);
            }
        }
    }
}
