package org.jmatte.gpu;

import org.jmatte.InvalidInputException;
import org.jmatte.Precision;
import org.jmatte.StreamType;
import org.jmatte.kernels.ElementType;

/**
 * How numbers are stored on the device.
 *
 * @param operands of weights and of what they are multiplied with
 * @param stream of the residual stream: the operands' type or fp32
 */
record Types(ElementType operands, ElementType stream) {
    /**
     * The types of a precision; {@link StreamType#AUTO} stands for fp32.
     *
     * @throws InvalidInputException if they do not go together, or the device lacks them
     */
    static Types of(Precision precision, StreamType stream, int architecture) {
        ElementType operands =
                switch (precision) {
                    case FP32 -> ElementType.FP32;
                    case FP16 -> ElementType.FP16;
                    case BF16 -> ElementType.BF16;
                };
        if (operands == ElementType.BF16 && architecture < 80) {
            throw new InvalidInputException(
                    "dtype: bf16 needs a card from sm_80 on, this one is sm_" + architecture + "; use fp16 or fp32");
        }
        if (stream == StreamType.FP16 && operands != ElementType.FP16) {
            throw new InvalidInputException(
                    "stream: fp16 goes with the dtype fp16 only, got " + operands + "; leave it out");
        }
        return new Types(operands, stream == StreamType.FP16 ? ElementType.FP16 : ElementType.FP32);
    }

    /** Whether operands that come from the stream unnormalised must be converted. */
    boolean differ() {
        return operands != stream;
    }
}
