package org.jmatte.weights;

/** Whose conventions a checkpoint's weights follow; decides the default padding and normalisation. */
public enum Origin {
    /** The authors' releases; generated weights count as theirs. */
    AUTHORS,
    /** Checkpoints under the tensor names of Hugging Face's transformers. */
    HUGGINGFACE
}
