package org.jmatte;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jmatte.image.Alpha;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The result depends neither on the run, nor on the threads, nor on other callers. */
class MattingThreadsTest {
    private static final MatteRequest EXACT = MatteRequest.defaults().withFormat(Alpha.Format.F32);

    @ParameterizedTest
    @CsvSource({
        "mematte_tiny, FP32",
        "mematte_tiny, BF16",
        "vitmatte_tiny, FP32",
        "vitmatte_tiny, BF16",
        "pam, FP32",
        "pam, BF16"
    })
    void everyNumberOfThreadsGivesTheSameBytes(String network, Precision precision) {
        if (precision == Precision.BF16) {
            Machine.assumeBf16();
        }
        Photo photo = Scenes.photo(150, 270, 1);
        Trimap trimap = Scenes.disc(150, 270, 1);
        MattingOptions options = MattingOptions.defaults().withPrecision(precision);
        Matte expected = null;
        for (int threads : new int[] {1, 2, 3, 5}) {
            try (Matting matting = Matting.open("seeded:" + network, options.withThreads(threads))) {
                for (int run = 0; run < 3; run++) {
                    Matte matte = matting.matte(photo, trimap, EXACT.withDecodeAll(run == 2));
                    expected = expected == null ? matte : expected;
                    String what = "run " + run + " with " + threads + " threads";
                    Alphas.assertSame(expected.alpha(), matte.alpha(), what);
                    assertEquals(expected.routing(), matte.routing(), what);
                    assertEquals(expected.path(), matte.path(), what);
                }
            }
        }
        Alphas.assertAlpha(expected.alpha());
    }

    @ParameterizedTest
    @CsvSource({"mematte_tiny, FP32", "vitmatte_tiny, BF16", "pam, FP32"})
    void severalCallersShareOneMatting(String network, Precision precision) throws Exception {
        if (precision == Precision.BF16) {
            Machine.assumeBf16();
        }
        int callers = 8;
        int images = 4;
        ExecutorService executor = Executors.newFixedThreadPool(callers);
        MattingOptions options =
                MattingOptions.defaults().withPrecision(precision).withThreads(2);
        try (Matting matting = Matting.open("seeded:" + network, options)) {
            List<Alpha> expected = new ArrayList<>();
            for (int i = 0; i < images; i++) {
                expected.add(image(matting, i));
            }
            List<Future<?>> calls = new ArrayList<>();
            for (int caller = 0; caller < callers; caller++) {
                int first = caller;
                calls.add(executor.submit(() -> {
                    for (int i = 0; i < images; i++) {
                        int image = (first + i) % images;
                        Alphas.assertSame(expected.get(image), image(matting, image), "image " + image);
                    }
                }));
            }
            for (Future<?> call : calls) {
                call.get();
            }
        } finally {
            executor.shutdown();
        }
    }

    private static Alpha image(Matting matting, int i) {
        int height = 65 + 30 * i;
        int width = 200 - 37 * i;
        return matting.matte(Scenes.photo(height, width, i), Scenes.disc(height, width, i), EXACT)
                .alpha();
    }

    @Test
    void manyMoreThreadsThanWorkDoNoHarm() {
        try (Matting few = Matting.open(
                        "seeded:mematte_tiny", MattingOptions.defaults().withThreads(1));
                Matting many = Matting.open(
                        "seeded:mematte_tiny", MattingOptions.defaults().withThreads(40))) {
            Alphas.assertSame(image(few, 0), image(many, 0), "40 threads");
        }
    }

    @Test
    void anInterruptedCallerFinishesAndStaysInterrupted() {
        try (Matting matting = Matting.open("seeded:mematte_tiny")) {
            Alpha expected = image(matting, 0);
            assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
                Thread.currentThread().interrupt();
                Alpha alpha = image(matting, 0);
                assertTrue(Thread.interrupted());
                Alphas.assertSame(expected, alpha, "interrupted");
            });
        }
    }
}
