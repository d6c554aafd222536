package org.jmatte.kernels;

import static org.jmatte.kernels.ElementType.BF16;
import static org.jmatte.kernels.ElementType.FP16;
import static org.jmatte.kernels.ElementType.FP32;
import static org.jmatte.kernels.ElementType.I32;
import static org.jmatte.kernels.Launch.ceilDiv;

/**
 * Numbers in another type: {@code out[i] = in[i]}, rounded to nearest even. Floats become operands for products that no
 * norm precedes, and fp16 is widened. Kernels: {@code kernels/convert.cu}.
 */
public final class Convert {
    private static final String OPERATOR = "convert";

    /** What a block takes. */
    private static final int ELEMENTS = 2048;

    private Convert() {}

    /**
     * Converts.
     *
     * @param out of in's shape; fp16 or bf16, or fp32 if in is fp16
     * @param in fp32 or fp16
     */
    public static void run(Device device, Tensor out, Tensor in, Stream stream) {
        run(device, out, in, null, 0, stream);
    }

    /**
     * Converts, and sets bits in a flag when an element of the result is not finite.
     *
     * @param flag [1] i32, or null
     */
    public static void run(Device device, Tensor out, Tensor in, Tensor flag, int bits, Stream stream) {
        Arguments.type(OPERATOR, "in", in, FP32, FP16);
        if (in.type() == FP32) {
            Arguments.type(OPERATOR, "out", out, FP16, BF16);
        } else {
            Arguments.type(OPERATOR, "out", out, FP32);
        }
        Arguments.supported(OPERATOR, "out", out, device);
        Arguments.shape(OPERATOR, "out", out, "in's shape", in.shape());
        Arguments.distinct(OPERATOR, "out", out, "in", in);
        if (flag != null) {
            Arguments.tensor(OPERATOR, "flag", flag, I32, "[1]", 1);
        }
        device.launch(launch(out, in, flag, bits), stream);
    }

    static Launch launch(Tensor out, Tensor in, Tensor flag, int bits) {
        ParameterBlock parameters = ParameterBlock.create()
                .pointer(out)
                .pointer(in)
                .pointer(flag)
                .integer64(in.elements())
                .integer32(bits);
        return new Launch(
                OPERATOR,
                OPERATOR + "_" + in.type() + "_" + out.type(),
                Math.toIntExact(ceilDiv(in.elements(), ELEMENTS)),
                1,
                1,
                parameters,
                0,
                in.bytes() + out.bytes());
    }
}
