package org.jmatte.kernels;

/** Work that was captured once, to be queued as a whole: from {@link Device#capture}. */
public interface Graph extends AutoCloseable {
    /** Queues the work, with the parameters and on the memory that it was captured with. */
    void launch(Stream stream);

    /** Lets go of it; work that is queued is still done. */
    @Override
    void close();
}
