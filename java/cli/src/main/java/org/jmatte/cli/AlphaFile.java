package org.jmatte.cli;

import java.nio.file.Path;
import java.util.Locale;
import org.jmatte.InvalidInputException;
import org.jmatte.image.Alpha;

/** Kinds of files that an alpha goes to. */
enum AlphaFile {
    /** Grey, 8 or 16 bits. */
    PNG,
    /** NumPy, float32 [H,W]. */
    NPY;

    /** The kind that a file's extension names. */
    static AlphaFile of(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        for (AlphaFile kind : values()) {
            if (name.endsWith("." + Main.word(kind))) {
                return kind;
            }
        }
        throw new InvalidInputException("--out: expected a file ending in .png or .npy, got " + file
                + "; name such a file, or give three folders");
    }

    /**
     * How alpha is to be stored.
     *
     * @param bits 8, 16, or null if not given
     */
    Alpha.Format format(Integer bits) {
        if (bits != null && bits != 8 && bits != 16) {
            throw new InvalidInputException("--bits: expected 8 or 16, got " + bits);
        }
        if (this == NPY) {
            if (bits != null) {
                throw new InvalidInputException(
                        "--bits: only for .png, and .npy was asked for, which is always float32;"
                                + " leave --bits out");
            }
            return Alpha.Format.F32;
        }
        return bits != null && bits == 16 ? Alpha.Format.U16 : Alpha.Format.U8;
    }
}
