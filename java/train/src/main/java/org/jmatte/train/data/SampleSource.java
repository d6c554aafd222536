package org.jmatte.train.data;

/**
 * Training samples by number. The same index gives the same sample, whatever was drawn before, on every machine and
 * thread. Implementations are thread-safe.
 */
@FunctionalInterface
public interface SampleSource {
    /** The sample of an index; every {@code long} is one. */
    Sample sample(long index);
}
