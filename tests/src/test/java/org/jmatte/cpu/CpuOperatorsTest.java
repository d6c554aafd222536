package org.jmatte.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Consumer;
import org.jmatte.Matting;
import org.jmatte.MattingOptions;
import org.jmatte.Plan;
import org.jmatte.bench.cpu.Scene;
import org.jmatte.network.VitArchitecture;
import org.jmatte.network.VitNetwork;
import org.jmatte.network.VitOps;
import org.jmatte.weights.ModelSource;
import org.junit.jupiter.api.Test;

class CpuOperatorsTest {
    private static final String MODEL = "seeded:mematte_tiny";
    private static final MattingOptions OPTIONS = MattingOptions.defaults().withKeep(0.25);

    /** Also when they are not those that the network calls next. */
    @Test
    void areRepeatable() {
        Scene scene = Scene.of("96x128");
        List<Consumer<VitOps>> operators = List.of(
                VitOps::decode,
                o -> o.merge(2),
                o -> o.routedAttention(2),
                o -> o.mlp(0),
                o -> o.route(5),
                o -> o.refine(5),
                o -> o.bottleneck(2),
                VitOps::embedPatches,
                o -> o.windowAttention(0));
        try (ModelSource source = ModelSource.open(MODEL);
                CpuOperators opened = new CpuOperators(source, OPTIONS, scene.photo(), scene.trimap())) {
            VitOps ops = opened.operators();
            new VitNetwork((VitArchitecture) source.architecture()).run(ops);
            for (int round = 0; round < 3; round++) {
                operators.forEach(operator -> operator.accept(ops));
            }
            ops.decode(); // refuses what is not a number
        }
    }

    @Test
    void countWhatThePlanCounts() {
        Scene scene = Scene.of("70x100");
        try (ModelSource source = ModelSource.open(MODEL);
                CpuOperators opened = new CpuOperators(source, OPTIONS, scene.photo(), scene.trimap())) {
            Plan plan = Matting.plan(source, 70, 100, OPTIONS.withBackend(org.jmatte.Backend.CPU));
            assertEquals(plan.stages().size(), opened.stages().size());
            for (int i = 0; i < plan.stages().size(); i++) {
                assertEquals(
                        plan.stages().get(i).flops(), opened.stages().get(i).flops());
            }
            assertTrue(plan.flops() > 0);
        }
    }
}
