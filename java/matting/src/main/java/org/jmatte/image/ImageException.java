package org.jmatte.image;

import org.jmatte.InvalidInputException;

/** An image, or the file it comes from or goes to, that cannot be used; the message says which, why and what to do. */
public final class ImageException extends InvalidInputException {
    public ImageException(String message) {
        super(message);
    }

    public ImageException(String message, Throwable cause) {
        super(message, cause);
    }
}
