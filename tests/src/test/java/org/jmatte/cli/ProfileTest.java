package org.jmatte.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.jmatte.Backend;
import org.jmatte.Plan;
import org.jmatte.Roofline;
import org.jmatte.RunListener.Kernel;
import org.junit.jupiter.api.Test;

/** What is made of a card's run, which the host queues long before it runs. */
class ProfileTest {
    private static final long START = 1_000_000;
    private static final Plan.Stage EMBED = new Plan.Stage("embed patches", 0, 0, 300);
    private static final Plan.Stage MLP = new Plan.Stage("block 0 mlp", 0, 0, 500);
    private static final Plan PLAN = new Plan(900, 400, 500, 90, 70, 140, 0, 0, 0, 1, "whole", List.of(EMBED, MLP));

    private static Kernel kernel(String operator, long queued, long start, long end) {
        return new Kernel(
                operator,
                operator + "_fp16",
                end - start,
                100,
                START + queued,
                START + queued + 5,
                START + start,
                START + end);
    }

    private static Profile onCard() {
        Recording recording = new Recording();
        recording.begin(new Plan(1, 1, 0, 0, 0, 0, 0, 0, 0, 1, "too large", List.of()));
        recording.stage(EMBED, START, START + 1);
        recording.begin(PLAN);
        recording.stage(EMBED, START + 100, START + 110);
        recording.stage(MLP, START + 110, START + 130);
        recording.kernel(kernel("embed_patches", 102, 1000, 1200));
        recording.kernel(kernel("gemm", 112, 1200, 1600));
        recording.kernel(kernel("gemm", 120, 1700, 2600));
        return new Profile(
                "some",
                "fp16",
                Backend.CUDA,
                null,
                START,
                START + 4000,
                recording.plan(),
                recording.stages(),
                recording.workers(),
                recording.kernels(),
                Optional.of(new Roofline(1e9, 2e9)));
    }

    @Test
    void operatorsAreKernelsAndTheirTimesTheDevices() {
        Profile profile = onCard();
        List<Profile.Operator> operators = profile.operators();
        assertEquals(
                List.of("gemm", "embed_patches"),
                operators.stream().map(Profile.Operator::name).toList());
        assertEquals(2, operators.get(0).calls());
        assertEquals(1300e-9, operators.get(0).seconds(), 1e-15);
        assertEquals(1300, operators.get(0).flops());
        assertEquals(200, operators.get(0).bytes());
        assertEquals(0.5, operators.get(0).shareOf(profile.roofline().orElseThrow()), 1e-9);
        assertEquals(2500e-9, profile.outside(), 1e-15);
    }

    @Test
    void stagesRunWhenTheirKernelsDo() {
        Profile profile = onCard();
        assertEquals(2, profile.stages().size(), "what was given up is not in it");
        assertEquals(
                new Profile.Span(START + 1000, START + 1200),
                profile.ran(profile.stages().get(0)));
        assertEquals(
                new Profile.Span(START + 1200, START + 2600),
                profile.ran(profile.stages().get(1)));
        assertEquals(1300, profile.work(profile.stages().get(1)).flops());
        List<ChromeTrace.Event> memory = ChromeTrace.of(profile).traceEvents().stream()
                .filter(event -> event.ph().equals("C"))
                .toList();
        assertEquals(
                List.of(1.0, 1.2, 4.0),
                memory.stream().map(ChromeTrace.Event::ts).toList());
        assertEquals(500L, memory.get(1).args().get("activations"));
    }

    @Test
    void theSlowestLaunchIsLookedAt() {
        NsightCommands gemm = NsightCommands.of(
                        onCard(), List.of("profile", "--html=p.html", "--trace", "t", "--model", "m"))
                .get(0);
        assertEquals(
                "ncu --target-processes all --set full --kernel-name 'regex:^gemm(_|$)' --launch-skip 3 --launch-count 1"
                        + " --export gemm ./jmatte profile --model m --backend cuda --warm-up 1",
                gemm.ncu());
        assertTrue(gemm.nsys().endsWith(" gemm.nsys-rep | grep -w 'gemm[a-z0-9_]*'"), gemm.nsys());
    }

    @Test
    void operatorsOfTheProcessorAreStagesWithoutTheirNumbers() {
        assertEquals("window attention", Profile.operator("block 11 window attention"));
        assertEquals("modules", Profile.operator("segment 3 modules"));
        assertEquals("pyramid", Profile.operator("pyramid 2"));
        assertEquals("encoder.quarter", Profile.operator("encoder.quarter"));
    }
}
