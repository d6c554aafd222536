// Sums over the rows of a matrix [rows, channels] without floating-point atomics: each block of a first launch leaves a
// row of partial sums, a second launch adds these rows in an order that depends on their number alone.
#pragma once

#include "device.cuh"

namespace jmatte {

/// mean[c] = scale * sum of partial[part][c] over the parts.
struct ChannelMean {
    float* mean;
    const float* partial;
    int parts;
    int channels;
    float scale;
};

constexpr int MEAN_THREADS = 512;
constexpr int MEAN_WARPS = MEAN_THREADS / WARP;

struct ChannelMeanShared {
    float sum[MEAN_WARPS][WARP];
};

/// Launch: MEAN_THREADS threads, a block for every 32 channels. A lane has one channel, warp w the parts w, w + 16, ...
JMATTE_DEVICE void channel_mean(const ChannelMean& p) {
    auto& s = shared<ChannelMeanShared>();
    const int c = block_x() * WARP + lane();
    float sum = 0;
    if (c < p.channels)
#pragma unroll 4
        for (int part = warp(); part < p.parts; part += MEAN_WARPS)
            sum += p.partial[(long long)part * p.channels + c];
    s.sum[warp()][lane()] = sum;
    sync_block();
    if (warp() == 0 && c < p.channels) {
        for (int w = 1; w < MEAN_WARPS; w++)
            sum += s.sum[w][lane()];
        p.mean[c] = sum * p.scale;
    }
}

} // namespace jmatte
