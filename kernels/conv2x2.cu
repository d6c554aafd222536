// 2x2 convolution of stride 2 without padding, with bias and activation:
//
//     out[y, x, n] = act(sum over ky, kx, c of in[2 y + ky, 2 x + kx, c] weight[n, 2 ky + kx, c] + bias[n])
//
//   out     [ring, out_width, pitch] T   rows y0 to y1 - 1 of floor(height / 2), or listed blocks of 32 columns of them
//   in      [ring, in_width, pitch]  T   NHWC; a last odd row or column is not read; of both maps row y lies in slot
//                                        y % ring, and `pitch` elements lie between neighbouring positions
//   weight  [cout, 4, cin]           T
//   bias    [cout]                   fp32, or null: zeros
//   act: identity, leaky ReLU (slope 0: ReLU)
//
// T is half or bfloat (sm_80 on) on the matrix units, or float on the FMA units; sums in fp32, rounded once.
//
// Launch: 128 threads; grid x = (16-column tiles: two for each block of 32) * ceil(cout / N), tiles of n fastest;
// grid y = ceil((y1 - y0) / rows). conv2x2_fp16, _bf16: 4 rows, N = 64; conv2x2_fp32: 8 rows, N = 32.
//
// Phases: see convolution.cuh. Patches do not overlap, so this is a matrix product of k = 4 cin, and the frame's patch
// only arranges its rows: 256 positions feed 64 outputs.
//
// The wrong choice: many output channels on a large map, where gemm on rearranged pixels has the larger tiles.
#include "convolution_exact.cuh"

namespace jmatte {

using Conv = Frame<2, 2, 4, 64, 2, 16, false>;
using ConvExact = ExactFrame<2, 2>;

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(conv2x2_fp16, Convolution, CONVOLUTION_THREADS, sizeof(Conv::Shared)) { convolve<half, Conv>(p); }
JMATTE_KERNEL(conv2x2_bf16, Convolution, CONVOLUTION_THREADS, sizeof(Conv::Shared)) { convolve<bfloat, Conv>(p); }
JMATTE_KERNEL(conv2x2_fp32, Convolution, CONVOLUTION_THREADS, sizeof(ConvExact::Shared)) {
    convolve_exactly<ConvExact>(p);
}
