package org.jmatte.network;

import org.jmatte.network.PamArchitecture.Stage;

/**
 * What a backend can do for {@link PamNetwork}: sub-layers over maps that the backend holds, x being the features of the
 * present stage. Strips and chunks live below.
 */
public interface PamOps extends Ops {
    /** half = the stem of the input planes: three activated 3x3 convolutions, the second of stride 2. */
    void stem();

    /**
     * x = norm(convolution of half, or of the stage before); the stage's result is what its segments leave of x, and the
     * decoder finds it again.
     */
    void encode(Stage stage);

    /** x = norm(1x1 convolution of the coarser stage's result, upsampled, and the encoder's map of this resolution). */
    void decode(Stage stage);

    /**
     * Looks at x as a whole and at the budget: weighs the channels of x, and says whether the segment should be kept.
     *
     * @throws ArithmeticException if what it sees are no numbers
     */
    boolean select(Stage stage, int segment);

    /** x += pointwise(norm(depthwise(x))), for each of the segment's modules. */
    void keep(Stage stage, int segment);

    /** x += what the learnable connect layer makes of x, instead. */
    void bypass(Stage stage, int segment);

    /** x += what a fusion makes of x and of x pooled to coarse grids. */
    void pool(int pyramid);

    /** alpha = the refinement of x, half, and the input planes at half and at full resolution. */
    void refine();
}
