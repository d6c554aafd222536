package org.jmatte;

import org.jmatte.weights.Origin;

/** How a photo is padded to multiples of 32 pixels, with zeros after normalisation, below and on the right. */
public enum Padding {
    /** As the weights' origin does it. */
    AUTO,
    /** Not at all if both sides fit; otherwise both grow, by 32 where a side fits. */
    AUTHORS,
    /** Each side grows to its next multiple. */
    HUGGINGFACE;

    /** Whether photos for weights of that origin are padded Hugging Face's way. */
    public boolean isHuggingface(Origin weights) {
        return this == AUTO ? weights == Origin.HUGGINGFACE : this == HUGGINGFACE;
    }
}
