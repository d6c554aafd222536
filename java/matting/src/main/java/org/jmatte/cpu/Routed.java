package org.jmatte.cpu;

import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * The tokens of one routed block, in the arena.
 *
 * @param keep address of a byte per token: 1 if it attends globally
 * @param selected address of the indices of those tokens, ascending
 * @param rest address of the others' indices, ascending
 * @param y address of the branches' results [N, C], operands: attention where kept, refinement elsewhere
 * @param most how many tokens memory is taken for
 * @param count how many are kept
 */
record Routed(long keep, long selected, long rest, long y, int most, int count) {
    static Routed take(CpuRun run, int channels, int most) {
        int tokens = run.geometry().tokens();
        Arena arena = run.arena();
        return new Routed(
                arena.take(tokens),
                arena.take((long) tokens * Integer.BYTES),
                arena.take((long) tokens * Integer.BYTES),
                arena.take(run.operands().bytes((long) tokens * channels)),
                most,
                most);
    }

    Routed withCount(int value) {
        return new Routed(keep, selected, rest, y, most, value);
    }

    /** The kept tokens of so many. */
    BitSet keptSet(int tokens) {
        BitSet set = new BitSet(tokens);
        ByteBuffer flags = NativeMemory.bytes(keep, tokens);
        for (int t = 0; t < tokens; t++) {
            set.set(t, flags.get(t) != 0);
        }
        return set;
    }
}
