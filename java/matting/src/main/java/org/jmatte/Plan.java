package org.jmatte;

import java.util.List;

/**
 * What a run needs, known before it runs.
 *
 * @param peakBytes weights and arena
 * @param weightsBytes weights as laid out for the backend
 * @param arenaBytes activations and scratch, oneDNN's scratchpads included
 * @param imageBytes photo, trimap and alpha (8 bits each); on a card they are part of the arena
 * @param flops floating-point operations; a multiply-add counts as two
 * @param movedBytes bytes that the stages read and write
 * @param maxTokens the token cap, after the memory budget; 0 for a network without tokens
 * @param gmacs the compute budget in GMACs (10^9 multiply-adds) per 1024x1024 pixels; 0 for a network of one path. The
 *     stages are those of a path that keeps all it can pay for; the memory suffices for every path
 * @param totalGmacs the budget for this size
 * @param decodedShare pixels that the decoder makes at full resolution where everything is wanted, halos included, per
 *     pixel of the padded photo
 * @param tiling chunk, band and strip sizes, in words
 * @param stages in the order of execution
 */
public record Plan(
        long peakBytes,
        long weightsBytes,
        long arenaBytes,
        long imageBytes,
        long flops,
        long movedBytes,
        int maxTokens,
        int gmacs,
        double totalGmacs,
        double decodedShare,
        String tiling,
        List<Stage> stages) {
    /**
     * @param name what it does
     * @param flops floating-point operations
     * @param movedBytes bytes read and written
     * @param arenaBytes bytes of the arena in use while it runs
     */
    public record Stage(String name, long flops, long movedBytes, long arenaBytes) {}

    public Plan {
        stages = List.copyOf(stages);
    }
}
