/** The networks on a device: layers strung from the kernels of {@code org.jmatte.kernels}. Not for callers. */
package org.jmatte.gpu;
