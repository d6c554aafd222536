/** The metrics of matting benchmarks. */
package org.jmatte.metrics;
