/** cuBLAS and cuDNN as a {@link org.jmatte.kernels.VendorLibrary}. */
package org.jmatte.vendor;
