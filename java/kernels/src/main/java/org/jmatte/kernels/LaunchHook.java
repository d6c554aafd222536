package org.jmatte.kernels;

/** Stands around every kernel launch of a device, on the thread that makes it: {@link Device#addHook}. */
public interface LaunchHook {
    /**
     * A kernel is to be queued; grids without blocks queue none and do not come here.
     *
     * @param run queues it; to be run once, and what it throws is to be passed on
     */
    void launch(Launch launch, Stream stream, Runnable run);
}
