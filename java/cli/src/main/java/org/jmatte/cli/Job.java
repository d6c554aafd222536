package org.jmatte.cli;

import java.nio.file.Path;
import org.jmatte.Matte;
import org.jmatte.image.ImageFiles;
import org.jmatte.image.Photo;
import org.jmatte.image.Trimap;

/**
 * One photo to be matted.
 *
 * @param name the photo's path relative to its folder, without extension
 * @param image the photo's file
 * @param trimap the trimap's file
 * @param out where alpha goes
 */
record Job(String name, Path image, Path trimap, Path out) {

    /** Both pictures, read in {@code seconds}. */
    record Input(Job job, Photo photo, Trimap trimap, double seconds) {}

    /**
     * The matte.
     *
     * @param photo what overlays are drawn on; null without them, so that its memory is free
     * @param foreground the object's own colours; null if no picture is made of them
     * @param readSeconds for reading both pictures
     * @param seconds for the matte
     * @param foregroundSeconds for the colours
     */
    record Result(
            Job job,
            Photo photo,
            Photo foreground,
            Matte matte,
            double readSeconds,
            double seconds,
            double foregroundSeconds) {}

    Input read(Trimap.Values values) {
        Stopwatch watch = new Stopwatch();
        Photo photo = ImageFiles.photo(image);
        Trimap known = ImageFiles.trimap(trimap, values);
        known.requireSize(photo);
        return new Input(this, photo, known, watch.seconds());
    }

    /** A file's path relative to a folder, with {@code /}, and without its extension. */
    static String name(Path folder, Path file) {
        String path = folder.relativize(file).toString().replace('\\', '/');
        int dot = path.lastIndexOf('.');
        return dot > path.lastIndexOf('/') + 1 ? path.substring(0, dot) : path;
    }
}
