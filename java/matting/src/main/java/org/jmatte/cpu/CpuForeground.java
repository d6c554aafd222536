package org.jmatte.cpu;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.jmatte.Isa;
import org.jmatte.bindings.cpu.CpuKernels;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;

/**
 * Multi-level foreground estimation: the levels one after the other, each in tiles spread over the workers. The sides
 * double from level to level. The colours of two levels are in memory at a time; the last level is the result itself.
 */
public final class CpuForeground {
    private static final int PLANES = 6; // the foreground's red, green and blue, and the background's

    /** Levels up to this side are one tile, and take more steps: what these find spreads over the whole picture. */
    private static final int SMALL_SIDE = 32;

    private static final int SMALL_STEPS = 10;
    private static final int STEPS = 2;
    private static final int TILE_ROWS = SMALL_SIDE;
    private static final int TILE_COLUMNS = 128;

    /** Where the levels' colours and the workers' scratch lie; without memory, how much they take. */
    private record Memory(long[] levels, long scratch, long scratchBytes) {
        static Memory take(Arena arena, int height, int width, int threads) {
            long scratchBytes = Arena.align(Math.max(
                    CpuKernels.estimate_foreground_scratch(SMALL_STEPS, SMALL_SIDE, SMALL_SIDE),
                    CpuKernels.estimate_foreground_scratch(STEPS, TILE_ROWS, TILE_COLUMNS)));
            long[] levels = {
                arena.take(Level.of(2, height, width).bytes()),
                arena.take(Level.of(1, height, width).bytes())
            };
            return new Memory(levels, arena.take(threads * scratchBytes), scratchBytes);
        }

        /** The colours of level {@code shift} >= 1, kept until level {@code shift} - 2 is made. */
        long level(int shift) {
            return levels[shift % 2];
        }

        long scratch(int slot) {
            return scratch + slot * scratchBytes;
        }
    }

    /** A picture's sides divided by 2^shift, rounded up. */
    private record Level(int shift, int height, int width) {
        static Level of(int shift, int height, int width) {
            return new Level(shift, (height - 1 >> shift) + 1, (width - 1 >> shift) + 1);
        }

        long bytes() {
            return (long) PLANES * Float.BYTES * height * width;
        }

        int steps() {
            return Math.max(height, width) <= SMALL_SIDE ? SMALL_STEPS : STEPS;
        }
    }

    private CpuForeground() {}

    /** See {@link org.jmatte.Foreground#workingBytes}. */
    public static long workingBytes(int height, int width, int threads) {
        NativeLibraries.load(Isa.AUTO);
        Arena arena = Arena.planning();
        Memory.take(arena, height, width, WorkerPool.threads(threads));
        return arena.peak();
    }

    /** See {@link org.jmatte.Foreground#estimate(Photo, Alpha, int)}. */
    public static Photo estimate(Photo photo, Alpha alpha, int threads) {
        alpha.requireSize(photo);
        int height = photo.height();
        int width = photo.width();
        int stride = width * 3 * photo.bits() / 8;
        ByteBuffer foreground = ByteBuffer.allocateDirect(Math.multiplyExact(height, stride));
        int workers = WorkerPool.threads(threads);
        try (Arena arena = Arena.of(workingBytes(height, width, threads))) {
            Memory memory = Memory.take(arena, height, width, workers);
            int coarsest = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(height, width) - 1);
            for (int shift = coarsest; shift >= 0; shift--) {
                long coarse = shift == coarsest ? 0 : memory.level(shift + 1);
                long out = shift == 0 ? NativeMemory.address(foreground) : memory.level(shift);
                run(photo, alpha, Level.of(shift, height, width), coarse, out, memory, workers);
            }
        } finally {
            Reference.reachabilityFence(photo);
            Reference.reachabilityFence(alpha);
        }
        return Photo.wrap(foreground, height, width, photo.bits(), stride);
    }

    private static void run(Photo photo, Alpha alpha, Level level, long coarse, long out, Memory memory, int workers) {
        long pixels = NativeMemory.address(photo.pixels());
        long values = NativeMemory.address(alpha.values());
        Blocks rows = Blocks.ofSize(level.height(), TILE_ROWS);
        Blocks columns = Blocks.ofSize(level.width(), TILE_COLUMNS);
        WorkerPool.SHARED.forEach((long) rows.count() * columns.count(), workers, (tile, slot) -> {
            long row = tile / columns.count();
            long column = tile % columns.count();
            CpuKernels.estimate_foreground(
                    pixels,
                    photo.bits(),
                    photo.rowStride(),
                    values,
                    alpha.format().ordinal(),
                    photo.height(),
                    photo.width(),
                    level.shift(),
                    coarse,
                    level.steps(),
                    rows.first(row),
                    columns.first(column),
                    rows.size(row),
                    columns.size(column),
                    out,
                    memory.scratch(slot));
        });
    }
}
