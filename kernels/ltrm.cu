// What lightweight token refinement (LTRM) has beside its linear layers, which are gemm's:
//
//     g[y, x]   = GELU(bias + sum over the 5x5 taps of weight[tap] * map[y + ky - 2, x + kx - 2])      per channel
//     mean      = sum of g over all tokens / N
//     scale[c]  = 1 + sigmoid(sum over k of kernel[k] * z[c + k - taps/2]),   z = weight * mean + bias
//
//   depthwise  map     [ring, width, D] T      rows of the hidden map, D even: row y at slot y % ring
//              weight  [25, D] fp32, bias [D] fp32
//              out     [rows, width, D] T      rows y0 to y0 + rows - 1
//              partial [ceil(rows/march) * ceil(width/32), D] fp32: sums of g before it is rounded to T
//   mean       partial [parts, D] fp32 of all bands, mean [D] fp32
//   gate       weight  [C, D] T, bias [C] fp32 or null, mean [D] fp32, kernel [taps] fp32 (odd, zero padded)
//              scale   [C] fp32
//
// Rows outside the image are zeros (the map holds what comes after the first layer's GELU). The mean of the layer
// z = fc2(g) over the tokens is that layer of the mean of g, so the channel sums of g are all that the gate needs of
// it. Everything is accumulated in fp32, in an order that depends on the sizes alone.
//
// Launch: depthwise 256 threads, ceil(width/32) x ceil(D/64) x ceil(rows/march) blocks; mean 512 threads, ceil(D/32)
// blocks; gate 256 threads, ceil(C/32) blocks. Shared memory: 2 KB each, less for gate.
// Phases of depthwise: depthwise_march.cuh, GELU and sums where a row of outputs is complete, then the block's eight
// sums added. `march` is the number of rows that a block goes down: few for a filled card, many for little overlap (it
// reads march + 4 rows). Of gate: a warp per value of z, 32 values and as many more at either end as the kernel
// reaches, then the small convolution over channels.
//
// Wrong choice: depthwise where no sums are needed (depthwise_conv, which has the same march).
#include "channel_sums.cuh"
#include "depthwise_march.cuh"

namespace jmatte {

// ---------------------------------------------------------------- depthwise 5x5, GELU, sums

struct LtrmDepthwise {
    void* out;
    float* partial;
    const void* map;
    const float* weight;
    const float* bias;
    int ring;
    int height;
    int width;
    int channels;
    int y0;
    int rows;
    int march;
};

constexpr int KERNEL = 5;

struct DepthwiseShared {
    Pack<float, 2> sum[MARCH_WARPS][WARP];
};

template <class T>
JMATTE_DEVICE void depthwise(const LtrmDepthwise& p) {
    auto& s = shared<DepthwiseShared>();
    const int x0 = block_x() * MARCH_BLOCK_COLUMNS + warp() * MARCH_COLUMNS;
    const int c = block_y() * MARCH_CHANNELS + 2 * lane();
    const int from = block_z() * p.march;
    const int rows = p.rows - from < p.march ? p.rows - from : p.march;
    Pack<float, 2> total = {};
    if (x0 < p.width && c < p.channels) {
        const MarchMap<T> map = {static_cast<const T*>(p.map), p.ring, p.height, p.width, p.channels};
        march<T, KERNEL>(map, p.weight, p.bias, c, x0, p.y0 + from, rows,
                         [&](int y, const float(&sum)[MARCH_COLUMNS][2]) {
                             T* out = static_cast<T*>(p.out) + ((long long)(y - p.y0) * p.width + x0) * p.channels + c;
#pragma unroll
                             for (int column = 0; column < MARCH_COLUMNS; column++)
                                 if (x0 + column < p.width) {
                                     Pack<T, 2> v;
#pragma unroll
                                     for (int h = 0; h < 2; h++) {
                                         float g = gelu(sum[column][h]);
                                         total[h] += g;
                                         v[h] = from_float<T>(g);
                                     }
                                     *reinterpret_cast<Pack<T, 2>*>(out + column * p.channels) = v;
                                 }
                         });
    }
    s.sum[warp()][lane()] = total;
    sync_block();
    if (warp() == 0 && c < p.channels) {
        for (int w = 1; w < MARCH_WARPS; w++) {
            total[0] += s.sum[w][lane()][0];
            total[1] += s.sum[w][lane()][1];
        }
        const long long part = (long long)block_z() * grid_x() + block_x();
        *reinterpret_cast<Pack<float, 2>*>(p.partial + part * p.channels + c) = total;
    }
}

// ---------------------------------------------------------------- gate

struct LtrmGate {
    float* scale;
    const void* weight;
    const float* bias;
    const float* mean;
    const float* kernel;
    int channels;
    int hidden;
    int taps;
};

constexpr int GATE_THREADS = 256;
constexpr int GATE_WARPS = GATE_THREADS / WARP;
/// Channels of a block, and at most so many more on either side.
constexpr int GATE_CHANNELS = 32;
constexpr int MOST_REACH = 16;

struct GateShared {
    float z[GATE_CHANNELS + 2 * MOST_REACH];
};

template <class T>
JMATTE_DEVICE void gate(const LtrmGate& p) {
    auto& s = shared<GateShared>();
    const int reach = p.taps / 2, first = block_x() * GATE_CHANNELS;
    for (int i = warp(); i < GATE_CHANNELS + 2 * reach; i += GATE_WARPS) {
        const int c = first - reach + i;
        float z = 0;
        if (c >= 0 && c < p.channels) {
            const T* weight = static_cast<const T*>(p.weight) + (long long)c * p.hidden;
            for (int d = 2 * lane(); d < p.hidden; d += 2 * WARP) {
                auto w = *reinterpret_cast<const Pack<T, 2>*>(weight + d);
                auto m = *reinterpret_cast<const Pack<float, 2>*>(p.mean + d);
                z = fmaf(to_float(w[1]), m[1], fmaf(to_float(w[0]), m[0], z));
            }
            z = warp_sum(z) + (p.bias ? p.bias[c] : 0);
        }
        if (lane() == 0)
            s.z[i] = z;
    }
    sync_block();
    const int c = first + thread();
    if (thread() < GATE_CHANNELS && c < p.channels) {
        float sum = 0;
        for (int k = 0; k < p.taps; k++)
            sum = fmaf(p.kernel[k], s.z[thread() + k], sum);
        p.scale[c] = 1 + 1 / (1 + exp2(-LOG2E * sum));
    }
}

// ---------------------------------------------------------------- entry points

JMATTE_KERNEL_BLOCKS(ltrm_depthwise_fp32, LtrmDepthwise, MARCH_THREADS, sizeof(DepthwiseShared), MARCH_BLOCKS) {
    depthwise<float>(p);
}
JMATTE_KERNEL_BLOCKS(ltrm_depthwise_fp16, LtrmDepthwise, MARCH_THREADS, sizeof(DepthwiseShared), MARCH_BLOCKS) {
    depthwise<half>(p);
}
JMATTE_KERNEL_BLOCKS(ltrm_depthwise_bf16, LtrmDepthwise, MARCH_THREADS, sizeof(DepthwiseShared), MARCH_BLOCKS) {
    depthwise<bfloat>(p);
}

JMATTE_KERNEL(ltrm_mean_fp32, ChannelMean, MEAN_THREADS, sizeof(ChannelMeanShared)) { channel_mean(p); }

JMATTE_KERNEL(ltrm_gate_fp32, LtrmGate, GATE_THREADS, sizeof(GateShared)) { gate<float>(p); }
JMATTE_KERNEL(ltrm_gate_fp16, LtrmGate, GATE_THREADS, sizeof(GateShared)) { gate<half>(p); }
JMATTE_KERNEL(ltrm_gate_bf16, LtrmGate, GATE_THREADS, sizeof(GateShared)) { gate<bfloat>(p); }

} // namespace jmatte
