package org.jmatte.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jmatte.Progress;

/** A bar over all images of a run, which advances with every stage of the network and tells the time left. */
final class ProgressDisplay implements AutoCloseable {
    private static final int WIDTH = 79;
    private static final int STEPS_PER_IMAGE = 1000;
    private static final String CLEAR_LINE = "\r\033[K";

    private final boolean shown;
    private final PrintWriter terminal;
    private final ProgressBar bar;

    /**
     * Starts a bar.
     *
     * @param task what the run does
     * @param total images of the run
     * @param shown whether it is drawn at all
     * @param terminal where it is drawn
     */
    ProgressDisplay(String task, int total, boolean shown, PrintWriter terminal) {
        this.shown = shown;
        this.terminal = terminal;
        this.bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax((long) total * STEPS_PER_IMAGE)
                .setUnit(total == 1 ? " image" : " images", STEPS_PER_IMAGE)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(200)
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, WIDTH))
                .build();
    }

    /** Whether standard error is a terminal, where a bar can be drawn over itself. */
    static boolean terminal() {
        try {
            String device = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty") || device.equals("/dev/console");
        } catch (IOException e) { // no such file system: rather no bar than a spoilt log
            return false;
        }
    }

    /** One image more; several may be under way at once. */
    Image image() {
        return new Image();
    }

    /** How far an image has come; closed, when it is done. */
    final class Image implements Progress, AutoCloseable {
        private int steps;

        @Override
        public void stage(String name, int done, int total) {
            int now = (int) ((long) STEPS_PER_IMAGE * done / total);
            bar.stepBy(now - steps);
            steps = now;
        }

        @Override
        public void close() {
            stage("done", 1, 1);
        }
    }

    /** Prints a line above the bar. */
    void print(String line) {
        terminal.println(shown ? above(line) : line);
    }

    /** A line that takes the place of a bar. */
    static String above(String line) {
        return CLEAR_LINE + line;
    }

    /** Removes the bar. */
    @Override
    public void close() {
        bar.close();
        if (shown) {
            terminal.print(CLEAR_LINE);
            terminal.flush();
        }
    }

    private void draw(String text) {
        if (shown) {
            terminal.print("\r" + text);
            terminal.flush();
        }
    }
}
