/**
 * GPU kernels for Java: a {@link org.jmatte.kernels.Device} to run them on and one class per operator to call them.
 *
 * <p>An operator takes {@link org.jmatte.kernels.Tensor}s, which are addresses with a type and a shape, and a {@link
 * org.jmatte.kernels.Stream}; it checks them, queues one or a few kernels and returns. It allocates nothing and waits
 * for nothing, so memory, streams and contexts of other libraries do as well as this package's own:
 *
 * <pre>{@code
 * CudaDevice device = CudaDevice.ofCurrentContext(); // the caller's context, which stays the caller's
 * LayerNorm.run(
 *         device,
 *         CudaDevice.wrap(out, FP16, rows, 384), // CUdeviceptr, or Tensor.wrap for an address
 *         CudaDevice.wrap(x, FP16, rows, 384),
 *         CudaDevice.wrap(weight, FP32, 384),
 *         CudaDevice.wrap(bias, FP32, 384),
 *         1e-6f,
 *         device.wrap(stream)); // CUstream
 * }</pre>
 *
 * <p>A {@link org.jmatte.kernels.CudaDevice} is an NVIDIA card; an {@link org.jmatte.kernels.EmulatedDevice} runs the
 * same sources on the host, for tests. The kernels' sources are in the folder {@code kernels}, described there.
 */
package org.jmatte.kernels;
