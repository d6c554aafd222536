package org.jmatte.gpu;

import java.nio.ByteBuffer;
import java.util.function.IntFunction;
import org.jmatte.kernels.Device;
import org.jmatte.kernels.Event;
import org.jmatte.kernels.HostBuffer;
import org.jmatte.kernels.Stream;

/**
 * Copies between ordinary memory and a device through two page-locked pieces: the host fills or empties one while the
 * other travels, beside what other streams compute.
 */
final class Transfers {
    /** Long enough that a copy's start does not matter, short enough that the first one starts soon. */
    private static final int PIECE = 4 << 20;

    private final Device device;
    private final Stream stream;
    private final HostBuffer[] pieces = new HostBuffer[2];
    /** When each piece has travelled. */
    private final Event[] travelled = new Event[2];

    private int turn;

    Transfers(Device device, Stream stream) {
        this.device = device;
        this.stream = stream;
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = device.allocateHost(PIECE);
            travelled[i] = device.createEvent();
        }
    }

    /** Queues a copy of a buffer's remaining bytes, which may be changed after. */
    void upload(long to, ByteBuffer from) {
        upload(to, 1, row -> from);
    }

    /** Queues a copy of the remaining bytes of so many rows, one behind the other. */
    void upload(long to, int rows, IntFunction<ByteBuffer> row) {
        long at = to;
        ByteBuffer piece = nextPiece();
        for (int r = 0; r < rows; r++) {
            ByteBuffer from = row.apply(r).duplicate();
            while (from.hasRemaining()) {
                if (!piece.hasRemaining()) {
                    at += sent(at, piece);
                    piece = nextPiece();
                }
                int bytes = Math.min(from.remaining(), piece.remaining());
                piece.put(from.slice().limit(bytes));
                from.position(from.position() + bytes);
            }
        }
        sent(at, piece);
    }

    /** The other piece, once it has travelled. */
    private ByteBuffer nextPiece() {
        turn = 1 - turn;
        travelled[turn].synchronize();
        return pieces[turn].buffer();
    }

    private int sent(long to, ByteBuffer piece) {
        device.copyToDevice(to, piece.flip(), stream);
        stream.record(travelled[turn]);
        return piece.limit();
    }

    /** Fills a buffer's remaining bytes; waits for the work queued so far. */
    void download(ByteBuffer to, long from) {
        ByteBuffer target = to.duplicate();
        int bytes = target.remaining();
        ByteBuffer travelling = fetched(from, 0, bytes);
        for (int part = 0; target.hasRemaining(); part++) {
            ByteBuffer next = fetched(from, part + 1, bytes);
            travelled[part % 2].synchronize();
            target.put(travelling);
            travelling = next;
        }
    }

    /** Queues a copy of a part of so many bytes into its piece; null behind the last part. */
    private ByteBuffer fetched(long from, int part, int bytes) {
        long done = (long) part * PIECE;
        if (done >= bytes) {
            return null;
        }
        ByteBuffer piece = pieces[part % 2].buffer().limit((int) Math.min(PIECE, bytes - done));
        device.copyToHost(piece, from + done, stream);
        stream.record(travelled[part % 2]);
        return piece;
    }
}
