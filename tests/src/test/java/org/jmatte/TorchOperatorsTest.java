package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.javacpp.PointerScope;
import org.jmatte.bench.cpu.Scene;
import org.jmatte.image.Alpha;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitNetwork;
import org.jmatte.train.mematte.MeMatte;
import org.jmatte.train.mematte.TorchOperators;
import org.jmatte.train.torch.Devices;
import org.jmatte.train.torch.Parameters;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operators on libtorch, which ours are timed against, compute the same network: as ours do, and as the goldens. */
class TorchOperatorsTest {
    private static final float TOLERANCE = 1e-4f;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mematte_tiny-96x128-seed1-stages",
                "mematte_tiny-544x608-seed3-cap200",
                "mematte_s-200x333-seed4",
                "vitmatte_s-200x333-seed8"
            })
    void equalOursAndTheReference(String name) {
        try (Golden golden = new Golden(name)) {
            float[] theirs = torch(golden);
            assertArrayEquals(golden.values("alpha"), theirs, TOLERANCE);
            double worst = GoldenTest.worst(ours(golden), theirs);
            assertTrue(worst < TOLERANCE, "alpha differs by " + worst);
        }
    }

    private static Alpha ours(Golden golden) {
        try (Matting matting = Matting.open(golden.model(), GoldenTest.options(golden))) {
            MatteRequest request =
                    MatteRequest.defaults().withFormat(Alpha.Format.F32).withKeepKnown(false);
            return matting.matte(golden.photo(), golden.trimap(), request).alpha();
        }
    }

    private static float[] torch(Golden golden) {
        Scene scene = new Scene(golden.photo(), golden.trimap());
        try (PointerScope temporaries = new PointerScope();
                ModelSource source = ModelSource.open(golden.model());
                MeMatte network = MeMatte.frozen(source, Devices.cpu());
                TorchOperators operators = new TorchOperators(
                        network, scene.planes(network.mean(), network.deviation()), golden.maxTokens(), false)) {
            new VitNetwork((VitArchitecture) source.architecture()).run(operators);
            return Parameters.toArray(operators.alpha());
        }
    }
}
