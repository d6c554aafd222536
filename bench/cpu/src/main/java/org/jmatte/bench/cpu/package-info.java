/** Benchmarks of operators and networks on the CPU: {@code bench/README.md} says how they are run and what is told. */
package org.jmatte.bench.cpu;
