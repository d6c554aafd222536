// Small layers of one vector, and what they decide applied to a map: the path selection of PAM.
//
//     dense:  out = act(weight cat(a, b) + bias)      act: identity, leaky ReLU, sigmoid
//     scale:  out[p, c] = in[p, c] scale[c]
//
//   out     [outputs] fp32               out  [positions, pitch] T   may be in
//   a, b    [inputs_a], [inputs_b] fp32  in   [positions, pitch] T   `channels` of them, the rest stays
//   weight  [outputs, inputs_a + inputs_b] fp32; bias [outputs] fp32; scale [channels] fp32
// T is half, bfloat or float. dense is in fp32 throughout, each sum in the same order always.
//
// Launch: vector_layers_dense_fp32  256 threads, a warp for each output: ceil(outputs / 8) blocks
//         vector_layers_scale_T     256 threads, ceil(positions * packs / 256) blocks; a pack is 16 bytes of channels,
//                                   the last one may be short
// The wrong choice: dense for more than one vector, which is a matrix product.
#include "device.cuh"

namespace jmatte {

enum VectorActivation { VECTOR_IDENTITY, VECTOR_LEAKY_RELU, VECTOR_SIGMOID };

struct VectorDense {
    float* out;
    const float* a;
    const float* b;
    const float* weight;
    const float* bias;
    int inputs_a, inputs_b;
    int outputs;
    int activation;
    float slope;
};

struct VectorScale {
    void* out;
    const void* in;
    const float* scale;
    long long positions;
    int channels;
    int out_pitch, in_pitch;
};

constexpr int THREADS = 256;

JMATTE_DEVICE void dense(const VectorDense& p) {
    const int row = block_x() * (THREADS / WARP) + warp();
    if (row >= p.outputs)
        return;
    const int inputs = p.inputs_a + p.inputs_b;
    const float* weight = p.weight + (long long)row * inputs;
    float sum = 0.0f;
    for (int i = lane(); i < inputs; i += WARP)
        sum = fmaf(weight[i], i < p.inputs_a ? p.a[i] : p.b[i - p.inputs_a], sum);
    sum = warp_sum(sum) + (p.bias != nullptr ? p.bias[row] : 0.0f);
    if (p.activation == VECTOR_LEAKY_RELU)
        sum = sum < 0.0f ? sum * p.slope : sum;
    else if (p.activation == VECTOR_SIGMOID)
        sum = 1.0f / (1.0f + exp2(sum * -LOG2E));
    if (lane() == 0)
        p.out[row] = sum;
}

template <class T>
JMATTE_DEVICE void scale(const VectorScale& p) {
    constexpr int N = PACK<T>;
    const int packs = ceil_div(p.channels, N);
    const long long i = (long long)block_x() * THREADS + thread();
    if (i >= p.positions * packs)
        return;
    const long long position = i / packs;
    const int c = int(i % packs) * N;
    const T* in = static_cast<const T*>(p.in) + position * p.in_pitch + c;
    T* out = static_cast<T*>(p.out) + position * p.out_pitch + c;
    auto aligned = [](const void* at, int pitch) {
        return reinterpret_cast<unsigned long long>(at) % 16 == 0 && pitch % N == 0;
    };
    if (c + N <= p.channels && aligned(p.in, p.in_pitch) && aligned(p.out, p.out_pitch)) {
        auto v = *reinterpret_cast<const Pack<T, N>*>(in);
#pragma unroll
        for (int k = 0; k < N; k++)
            v[k] = from_float<T>(to_float(v[k]) * p.scale[c + k]);
        *reinterpret_cast<Pack<T, N>*>(out) = v;
        return;
    }
    for (int k = 0; k < N && c + k < p.channels; k++)
        out[k] = from_float<T>(to_float(in[k]) * p.scale[c + k]);
}

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(vector_layers_dense_fp32, VectorDense, THREADS, 0) { dense(p); }
JMATTE_KERNEL(vector_layers_scale_fp16, VectorScale, THREADS, 0) { scale<half>(p); }
JMATTE_KERNEL(vector_layers_scale_bf16, VectorScale, THREADS, 0) { scale<bfloat>(p); }
JMATTE_KERNEL(vector_layers_scale_fp32, VectorScale, THREADS, 0) { scale<float>(p); }
