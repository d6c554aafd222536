package org.jmatte;

import org.jmatte.image.Alpha;

/**
 * A process of its own for {@link IsaTest} and {@link StaleMemoryTest}: runs a golden with the given instruction set
 * and precision, and says how it went.
 */
public final class IsaProbe {
    static final String GOLDEN = "mematte_tiny-100x320-seed2";

    private IsaProbe() {}

    public static void main(String[] arguments) {
        Isa isa = Isa.valueOf(arguments[0]);
        Precision precision = Precision.valueOf(arguments[1]);
        boolean forced = precision == Precision.BF16; // its roundings may turn a router's mind
        try (Golden golden = new Golden(arguments[2]);
                Matting matting = Matting.open(
                        golden.model(), GoldenTest.options(golden).withIsa(isa).withPrecision(precision))) {
            MatteRequest request =
                    MatteRequest.defaults().withFormat(Alpha.Format.F32).withKeepKnown(false);
            Matte matte = matting.matte(
                    golden.photo(), golden.trimap(), forced ? request.withForcedTokens(golden.kept()) : request);
            boolean sameTokens = golden.kept().equals(matte.routing().kept());
            float[] expected = golden.values("alpha");
            ChildProcess.say("worst", GoldenTest.worst(matte.alpha(), expected));
            ChildProcess.say("mean", GoldenTest.mean(matte.alpha(), expected));
            ChildProcess.say("tokens", sameTokens);
        } catch (InvalidInputException | UnsupportedOperationException e) {
            ChildProcess.say("refused", e.getMessage());
        }
    }
}
