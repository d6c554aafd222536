// The user's photo and trimap as the network's four input planes, read where they lie, and 3x3 convolutions of them as
// matrix products of k = 9 taps x 4 planes. Device code only.
#pragma once

#include "gemm_tile.cuh"

namespace jmatte {

constexpr int PHOTO_PLANES = 4;
constexpr int PHOTO_K = 9 * PHOTO_PLANES;

/// Interleaved RGB of 8 or 16 bits and a trimap of bytes. Part of parameter structs: 64 bytes.
struct Photo {
    const void* rgb;
    const unsigned char* trimap; // [height, width]
    long long row_bytes;         // from one row of rgb to the next
    int height, width;
    int bits;       // of a sample: 8 or 16
    int snap;       // the trimap plane is 0, 1/2 and 1 instead of the byte / 255
    float scale[3]; // plane = sample * scale + shift
    float shift[3];

    JMATTE_DEVICE int known(int y, int x) const { return trimap[(long long)y * width + x]; }

    /// The four planes at a position; zeros outside.
    JMATTE_DEVICE Pack<float, PHOTO_PLANES> planes(int y, int x) const {
        Pack<float, PHOTO_PLANES> v{};
        if (y < 0 || y >= height || x < 0 || x >= width)
            return v;
        const unsigned char* row = static_cast<const unsigned char*>(rgb) + y * row_bytes;
#pragma unroll
        for (int c = 0; c < 3; c++) {
            const int sample = bits == 8 ? row[x * 3 + c] : reinterpret_cast<const unsigned short*>(row)[x * 3 + c];
            v[c] = fmaf(float(sample), scale[c], shift[c]);
        }
        const int byte = known(y, x);
        // As one number 1 / 255 has an error that some bytes' quotients would show.
        constexpr float SHARE = 1.0f / 255;
        constexpr float REST = float(1.0 / 255 - double(SHARE));
        v[3] = snap ? (byte == 0 ? 0.0f : byte == 255 ? 1.0f : 0.5f) : fmaf(float(byte), SHARE, float(byte) * REST);
        return v;
    }
};

/// ROWS x COLUMNS positions from (y, x) on as four planes each; by all threads of a block.
template <class T, int COLUMNS>
JMATTE_DEVICE void load_photo(const Photo& photo, int y, int x, int positions, int threads, Pack<T, 4>* patch) {
    for (int i = thread(); i < positions; i += threads) {
        const auto planes = photo.planes(y + i / COLUMNS, x + i % COLUMNS);
        Pack<T, 4> rounded;
#pragma unroll
        for (int c = 0; c < PHOTO_PLANES; c++)
            rounded[c] = from_float<T>(planes[c]);
        patch[i] = rounded;
    }
}

/// Steps of an mma that cover k = 36: 40 or 48. What is beyond has weights of zero.
constexpr int PHOTO_STEPS = (PHOTO_K + MMA_K - 1) / MMA_K;
constexpr int K8 = MMA_K / 8;

/// Fragments of the photo's convolution. A pixel is 8 bytes and ldmatrix wants 16-byte rows, so A is read by lanes,
/// two planes of a tap each.
template <class T, int COLUMNS>
struct PhotoFragments {
    int offset[PHOTO_STEPS][K8]; // of this lane's taps, in pixels

    JMATTE_DEVICE PhotoFragments() {
#pragma unroll
        for (int step = 0; step < PHOTO_STEPS; step++)
#pragma unroll
            for (int i = 0; i < K8; i++) {
                const int tap = (step * MMA_K + i * 8) / PHOTO_PLANES + lane() % 4 / 2;
                const int within = tap < 9 ? tap : 8; // any finite value will do beyond the ninth
                offset[step][i] = within / 3 * COLUMNS + within % 3;
            }
    }

    /// Row lane() / 4 of the tile begins at `low`, row lane() / 4 + 8 at `high`.
    JMATTE_DEVICE void load_a(unsigned (&a)[1][A_REGISTERS], const Pack<T, 4>* low, const Pack<T, 4>* high,
                              int step) const {
#pragma unroll
        for (int i = 0; i < K8; i++) {
            a[0][2 * i] = pair(low + offset[step][i]);
            a[0][2 * i + 1] = pair(high + offset[step][i]);
        }
    }

    /// All of B for 8 NT outputs from `n` on; weight [outputs][36], aligned to 4 bytes.
    template <int NT>
    static JMATTE_DEVICE void load_b(unsigned (&b)[PHOTO_STEPS][NT][B_REGISTERS], const T* weight, int n, int outputs) {
#pragma unroll
        for (int step = 0; step < PHOTO_STEPS; step++)
#pragma unroll
            for (int t = 0; t < NT; t++)
#pragma unroll
                for (int i = 0; i < K8; i++) {
                    const int k = step * MMA_K + i * 8 + lane() % 4 * 2;
                    const int row = n + t * 8 + lane() / 4;
                    b[step][t][i] = k < PHOTO_K && row < outputs
                                        ? *reinterpret_cast<const unsigned*>(weight + (long long)row * PHOTO_K + k)
                                        : 0u;
                }
    }

private:
    static JMATTE_DEVICE unsigned pair(const Pack<T, 4>* pixel) {
        return reinterpret_cast<const unsigned*>(pixel)[lane() % 2];
    }
};

} // namespace jmatte
