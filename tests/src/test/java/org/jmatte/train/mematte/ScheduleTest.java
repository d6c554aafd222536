package org.jmatte.train.mematte;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.jmatte.network.VitArchitecture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
    private static final double PEAK = 5e-4;

    @ParameterizedTest
    @CsvSource({"0, 0.001", "125, 0.5005", "250, 1", "5999, 1", "6000, 0.1", "25999, 0.1", "26000, 0.05", "29999, 0.05"
    })
    void theSmallNetworkStepsAtAFifthOfTheRun(long iteration, double factor) {
        Schedule schedule = Schedule.of(VitArchitecture.of(384, true), PEAK, 30_000);
        assertEquals(PEAK * factor, schedule.rate(iteration), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({"29999, 1", "30000, 0.1", "51999, 0.1", "52000, 0.05"})
    void theBaseNetworkStepsInTheMiddle(long iteration, double factor) {
        Schedule schedule = Schedule.of(VitArchitecture.of(768, true), PEAK, 60_000);
        assertEquals(PEAK * factor, schedule.rate(iteration), 1e-12);
    }

    @Test
    void aShortRunWarmsUpInATwentieth() {
        Schedule schedule = Schedule.of(VitArchitecture.of(128, true), PEAK, 200);
        assertEquals(PEAK, schedule.rate(10), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({
        "backbone.pos_embed, 13, 0",
        "backbone.patch_embed.proj.weight, 13, 0.1",
        "backbone.blocks.0.attn.qkv.bias, 12, 0.1",
        "backbone.blocks.0.norm1.weight, 12, 0",
        "backbone.blocks.11.residual.norm2.bias, 1, 0",
        "backbone.blocks.11.efficient_block.fc1.weight, 1, 0.1",
        "backbone.routers.0.in_conv.0.weight, 0, 0",
        "backbone.routers.0.in_conv.1.weight, 0, 0.1",
        "decoder.fusion_blks.0.conv.bn.weight, 0, 0",
        "decoder.fusion_blks.0.conv.bn.running_var, 0, 0",
        "decoder.matting_head.matting_convs.1.bias, 0, 0",
        "decoder.matting_head.matting_convs.0.weight, 0, 0.1"
    })
    void ratesFallTowardsThePatches(String name, int layers, double decay) {
        assertEquals(Math.pow(0.65, layers), Schedule.layerRate(name), 1e-12);
        assertEquals(decay, Schedule.weightDecay(name));
    }
}
