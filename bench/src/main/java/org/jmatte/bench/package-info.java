/** Benchmarks of the GPU kernels: {@code bench/README.md} says how they are run and what the numbers mean. */
package org.jmatte.bench;
