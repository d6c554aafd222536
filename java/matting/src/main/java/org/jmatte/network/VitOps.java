package org.jmatte.network;

/**
 * What a backend can do for {@link VitNetwork}: the sub-layers that it consists of, each over one residual stream of
 * tokens [N, C] that the backend holds. A network is a straight list of these calls. Chunks, bands and strips live below.
 *
 * <p>{@code block} counts from 0; norm(.) is layer normalisation.
 */
public interface VitOps extends Ops {
    /** stream = patches of 16x16 pixels (normalised photo, trimap; zero padded) times a matrix, plus position. */
    void embedPatches();

    /** stream += attention inside 14x14 windows of norm(stream), with decomposed relative position. */
    void windowAttention(int block);

    /** stream += attention of all tokens among each other, of norm(stream), with decomposed relative position. */
    void globalAttention(int block);

    /** Decides which tokens attend globally in this block: those of positive margin, at most the token cap. */
    void route(int block);

    /** Lightweight token refinement of the whole stream; kept aside for {@link #merge}. */
    void refine(int block);

    /** Attention of the routed tokens among each other, of norm(stream); kept aside for {@link #merge}. */
    void routedAttention(int block);

    /** stream += attention of the routed tokens, gated refinement of the others. */
    void merge(int block);

    /** stream += linear(GELU(linear(norm(stream)))). */
    void mlp(int block);

    /** stream += norm(conv1x1(GELU(norm(conv3x3(GELU(norm(conv1x1(stream)))))))). */
    void bottleneck(int block);

    /** alpha = detail capture decoder of stream and photo. */
    void decode();
}
