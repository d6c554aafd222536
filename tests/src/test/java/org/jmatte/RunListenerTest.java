package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;

/** What a run tells of itself, beside what was planned. */
class RunListenerTest {
    private static final Photo PHOTO = Scenes.photo(70, 100, 1);
    private static final Trimap TRIMAP = Scenes.disc(70, 100, 1);

    private static final class Heard implements RunListener {
        private Plan plan;
        private final List<Plan.Stage> stages = new ArrayList<>();
        private final List<Kernel> kernels = new ArrayList<>();
        private long tasks;
        private long now;

        @Override
        public void begin(Plan settings) {
            plan = settings;
            now = System.nanoTime();
        }

        @Override
        public void stage(Plan.Stage stage, long start, long end) {
            assertTrue(now <= start && start <= end, "stages follow each other");
            now = end;
            stages.add(stage);
        }

        @Override
        public void worker(int thread, long some, long start, long end) {
            assertTrue(thread >= 0 && now <= start && start <= end, "workers are busy within a stage");
            tasks += some;
        }

        @Override
        public void kernel(Kernel kernel) {
            assertTrue(kernel.queued() <= kernel.launched() && kernel.start() <= kernel.end());
            kernels.add(kernel);
        }
    }

    private static Heard heard(String model, Backend backend, boolean decodeAll) {
        Heard heard = new Heard();
        MatteRequest request = MatteRequest.defaults().withDecodeAll(decodeAll).withRunListener(heard);
        try (Matting matting = Matting.open(model, MattingOptions.defaults().withBackend(backend))) {
            matting.matte(PHOTO, TRIMAP, request);
        }
        assertNotNull(heard.plan);
        return heard;
    }

    @Test
    void theProcessorDoesWhatWasPlanned() {
        Heard heard = heard("seeded:vitmatte_tiny", Backend.CPU, true);
        assertEquals(heard.plan.stages(), heard.stages);
        assertTrue(heard.tasks > heard.stages.size());
        assertEquals(List.of(), heard.kernels);
    }

    @Test
    void whatTheTrimapKnowsIsNotCounted() {
        for (String model : List.of("seeded:mematte_tiny", "seeded:pam")) {
            Heard all = heard(model, Backend.CPU, true);
            Heard some = heard(model, Backend.CPU, false);
            int last = all.stages.size() - 1;
            Plan.Stage decoded = some.stages.get(last);
            assertEquals(all.plan.stages().get(last), all.stages.get(last));
            assertTrue(decoded.flops() < all.stages.get(last).flops(), model);
            assertTrue(decoded.flops() > 0 && decoded.movedBytes() > 0, model);
            assertEquals(all.stages.get(last).arenaBytes(), decoded.arenaBytes());
        }
    }

    @Test
    void kernelsDoWhatWasPlanned() {
        Heard heard = heard("seeded:vitmatte_tiny", Backend.EMULATED, true);
        assertEquals(
                heard.plan.stages().stream().map(Plan.Stage::name).toList(),
                heard.stages.stream().map(Plan.Stage::name).toList());
        assertEquals(
                heard.plan.stages().stream().map(Plan.Stage::arenaBytes).toList(),
                heard.stages.stream().map(Plan.Stage::arenaBytes).toList());
        assertEquals(
                heard.plan.flops(),
                heard.kernels.stream().mapToLong(RunListener.Kernel::flops).sum());
        assertEquals(
                heard.plan.movedBytes(),
                heard.kernels.stream().mapToLong(RunListener.Kernel::bytes).sum());
        for (int i = 1; i < heard.kernels.size(); i++) {
            assertTrue(heard.kernels.get(i - 1).end() <= heard.kernels.get(i).start(), "kernel " + i);
        }
    }

    @Test
    void aRooflineIsMeasured() {
        try (Matting matting =
                Matting.open("seeded:vitmatte_tiny", MattingOptions.defaults().withBackend(Backend.CPU))) {
            Roofline roofline = matting.roofline().orElseThrow();
            assertTrue(roofline.bytesPerSecond() > 1e8 && roofline.bytesPerSecond() < 1e13, roofline.toString());
            assertTrue(roofline.flopsPerSecond() > 1e8 && roofline.flopsPerSecond() < 1e15, roofline.toString());
        }
        MattingOptions emulated = MattingOptions.defaults().withBackend(Backend.EMULATED);
        try (Matting matting = Matting.open("seeded:vitmatte_tiny", emulated)) {
            assertTrue(matting.roofline().isEmpty(), "an emulator's times mean nothing");
        }
    }

    @Test
    void theLeastTimeIsThatOfTheTighterCeiling() {
        Roofline roofline = new Roofline(10, 100);
        assertEquals(5, roofline.seconds(300, 50));
        assertEquals(3, roofline.seconds(300, 20));
    }
}
