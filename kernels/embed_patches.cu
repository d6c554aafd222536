// Patch embedding without its matrix product: patches of pixels as rows for gemm, and the position table for its
// result.
//
//   unfold     out[t - first][(ky * 16 + kx) * 4 + plane] = value * scale[plane] + shift[plane]
//              of pixel (16 * (t / grid_width) + ky, 16 * (t % grid_width) + kx); pad[plane] outside the photo.
//              Planes 0 to 2 are the photo's, plane 3 is the trimap: its byte, or snapped to 0, 127.5 and 255.
//   position   x[t - first] += the table [14, 14, C] resized bicubically to the grid, at token t
//
//   out    [tokens, 1024] T      tokens `first` to `first + tokens - 1` of the grid, row by row
//   photo  [height, stride bytes] of interleaved RGB u8 or u16;  trimap [height, width] u8
//   x      [tokens, C] S         the residual stream
//   table  [196, C] fp32
//
// What scale, shift and pad should be: a normalised pixel (v / 255 - mean) / std is not exact in 16 bits, and scaled by
// 1 / std alone the weights come close to subnormal numbers. With the integer m nearest to 255 * mean,
//     scale = 1/64,  shift = -m/64,  pad = (255 * mean - m)/64
// every 8-bit value is exact in fp16 and bf16; the product's weights take the factor 64 / (255 * std), and its bias
// what is left of the mean: the sum over pixels of weight * (m - 255 * mean)/64. Padding, which is zero after
// normalisation, is then `pad`. The trimap likewise: scale = 1/256, shift = pad = 0, and 256/255 in the weights;
// snapped values are exact too. 16-bit photos take 257 times smaller scales, and are rounded to T once.
//
// Position: cubic convolution with a = -0.75, half-pixel centres, taps clamped to the table, coordinates in fp32.
//
// Launch: unfold 256 threads, ceil(tokens / 64) x 4 blocks; position 256 threads, (grid rows that the tokens touch) x
// ceil(C / 128) blocks, 7 KB of shared memory.
// Phases of unfold: a thread takes 4 pixels (12 or 24 bytes of photo, 4 of trimap) and writes their 16 values, in 4 of
// the 16 pixel rows; 4 threads write the 128 bytes (of a 16-bit type) that a patch has of a pixel row.
// Phases of position: the four table rows of a grid row are combined once for 128 channels, in shared memory; each
// token then takes four columns of that.
//
// Wrong choice: where the convolution's patches overlap; conv3x3 reads pixels itself.
#include "device.cuh"

namespace jmatte {

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;

constexpr int PATCH = 16;
constexpr int PLANES = 4;
constexpr int PATCH_VALUES = PATCH * PATCH * PLANES;

// ---------------------------------------------------------------- pixels to rows

struct EmbedPatchesUnfold {
    void* out;
    const void* photo;
    const unsigned char* trimap;
    long long stride; // bytes from a row of the photo to the next
    int snap;
    int height;
    int width;
    int grid_width;
    int first;
    int tokens;
    float scale[PLANES];
    float shift[PLANES];
    float pad[PLANES];
};

/// Pixels of a thread, in a row: 16 values.
constexpr int PIXELS = 4;
constexpr int QUARTERS = PATCH / PIXELS;
constexpr int BLOCK_TOKENS = THREADS / QUARTERS;
/// Pixel rows of a thread; the grid's second axis has the others.
constexpr int LINES = 4;

JMATTE_DEVICE float snapped(int byte) { return byte == 0 ? 0.0f : byte == 255 ? 255.0f : 127.5f; }

/// N values to where they may be written 16 bytes at a time.
template <class T, int N>
JMATTE_DEVICE void store_all(T* to, const float* v) {
#pragma unroll
    for (int i = 0; i < N; i += PACK<T>) {
        Pack<T, PACK<T>> pack;
#pragma unroll
        for (int k = 0; k < PACK<T>; k++)
            pack[k] = from_float<T>(v[i + k]);
        *reinterpret_cast<Pack<T, PACK<T>>*>(to + i) = pack;
    }
}

/// Whether packs of this type may be read there.
template <class P>
JMATTE_DEVICE bool is_aligned(const void* p) {
    return reinterpret_cast<unsigned long long>(p) % alignof(P) == 0;
}

template <class Sample, class T>
JMATTE_DEVICE void unfold(const EmbedPatchesUnfold& p) {
    using Samples = Pack<Sample, 4>;
    using Bytes = Pack<unsigned char, PIXELS>;
    const int t = block_x() * BLOCK_TOKENS + thread() / QUARTERS;
    if (t >= p.tokens)
        return;
    const int token = p.first + t;
    const int quarter = thread() % QUARTERS;
    const int x = token % p.grid_width * PATCH + quarter * PIXELS;
    const int inside = p.width - x < PIXELS ? p.width - x : PIXELS; // pixels of the photo, from the left
#pragma unroll
    for (int line = 0; line < LINES; line++) {
        const int ky = block_y() * LINES + line;
        const int y = token / p.grid_width * PATCH + ky;
        float v[PIXELS * PLANES];
        if (y < p.height && inside == PIXELS) {
            const auto* row = reinterpret_cast<const Sample*>(static_cast<const char*>(p.photo) + y * p.stride);
            const unsigned char* known = p.trimap + (long long)y * p.width + x;
            Samples rgb[3];
            if (is_aligned<Samples>(row + x * 3)) {
#pragma unroll
                for (int k = 0; k < 3; k++)
                    rgb[k] = reinterpret_cast<const Samples*>(row + x * 3)[k];
            } else {
#pragma unroll
                for (int k = 0; k < 12; k++)
                    rgb[k / 4][k % 4] = row[x * 3 + k];
            }
            Bytes four;
            if (is_aligned<Bytes>(known))
                four = *reinterpret_cast<const Bytes*>(known);
            else
#pragma unroll
                for (int k = 0; k < PIXELS; k++)
                    four[k] = known[k];
#pragma unroll
            for (int k = 0; k < PIXELS; k++) {
#pragma unroll
                for (int c = 0; c < 3; c++)
                    v[k * PLANES + c] = fmaf(float(rgb[(k * 3 + c) / 4][(k * 3 + c) % 4]), p.scale[c], p.shift[c]);
                v[k * PLANES + 3] = fmaf(p.snap ? snapped(four[k]) : float(four[k]), p.scale[3], p.shift[3]);
            }
        } else {
#pragma unroll
            for (int k = 0; k < PIXELS * PLANES; k++)
                v[k] = p.pad[k % PLANES];
            if (y < p.height) {
                const auto* row = reinterpret_cast<const Sample*>(static_cast<const char*>(p.photo) + y * p.stride);
                const unsigned char* known = p.trimap + (long long)y * p.width + x;
#pragma unroll
                for (int k = 0; k < PIXELS; k++)
                    if (k < inside) {
#pragma unroll
                        for (int c = 0; c < 3; c++)
                            v[k * PLANES + c] = fmaf(float(row[(x + k) * 3 + c]), p.scale[c], p.shift[c]);
                        v[k * PLANES + 3] = fmaf(p.snap ? snapped(known[k]) : float(known[k]), p.scale[3], p.shift[3]);
                    }
            }
        }
        T* to = static_cast<T*>(p.out) + (long long)t * PATCH_VALUES + (ky * PATCH + quarter * PIXELS) * PLANES;
        store_all<T, PIXELS * PLANES>(to, v);
    }
}

// ---------------------------------------------------------------- position

struct EmbedPatchesPosition {
    void* x;
    const float* table;
    int first;
    int tokens;
    int grid_height;
    int grid_width;
    int channels;
};

constexpr int TABLE = 14;
/// Channels of a lane and of a block.
constexpr int LANE_CHANNELS = 4;
constexpr int BLOCK_CHANNELS = WARP * LANE_CHANNELS;

struct PositionShared {
    Pack<float, 4> line[TABLE][WARP];
};

struct Taps {
    int at[4];
    float weight[4];
};

JMATTE_DEVICE Taps cubic(int i, int size) {
    constexpr float a = -0.75f;
    const float source = (float(i) + 0.5f) * (float(TABLE) / float(size)) - 0.5f;
    int whole = int(source);
    if (float(whole) > source)
        whole--;
    const float t = source - float(whole), u = 1 - t;
    Taps taps;
    taps.weight[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    taps.weight[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    taps.weight[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    taps.weight[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
#pragma unroll
    for (int k = 0; k < 4; k++) {
        int at = whole - 1 + k;
        taps.at[k] = at < 0 ? 0 : at >= TABLE ? TABLE - 1 : at;
    }
    return taps;
}

/// Up to 4 channels, where a row need not be a multiple of them.
template <class T>
JMATTE_DEVICE Pack<float, 4> load_channels(const T* from, int count, bool packed) {
    Pack<float, 4> v = {};
    if (packed) {
        Pack<T, 4> in = *reinterpret_cast<const Pack<T, 4>*>(from);
#pragma unroll
        for (int i = 0; i < 4; i++)
            v[i] = to_float(in[i]);
    } else {
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (i < count)
                v[i] = to_float(from[i]);
    }
    return v;
}

template <class S>
JMATTE_DEVICE void position(const EmbedPatchesPosition& p) {
    auto& s = shared<PositionShared>();
    const int y = p.first / p.grid_width + block_x();
    const int c = block_y() * BLOCK_CHANNELS + lane() * LANE_CHANNELS;
    const int count = p.channels - c < LANE_CHANNELS ? p.channels - c : LANE_CHANNELS;
    const bool packed = p.channels % LANE_CHANNELS == 0;

    const Taps rows = cubic(y, p.grid_height);
    if (count > 0)
        for (int column = warp(); column < TABLE; column += WARPS) {
            Pack<float, 4> sum = {};
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const float* from = p.table + (rows.at[k] * TABLE + column) * (long long)p.channels + c;
                Pack<float, 4> v = load_channels(from, count, packed);
#pragma unroll
                for (int i = 0; i < 4; i++)
                    sum[i] = fmaf(v[i], rows.weight[k], sum[i]);
            }
            s.line[column][lane()] = sum;
        }
    sync_block();
    if (count <= 0)
        return;

    // The chunk may begin and end within a row of the grid.
    const long long row = (long long)y * p.grid_width - p.first;
    const int begin = row < 0 ? int(-row) : 0;
    const int end = p.tokens - row < p.grid_width ? int(p.tokens - row) : p.grid_width;
    for (int column = begin + warp(); column < end; column += WARPS) {
        const Taps columns = cubic(column, p.grid_width);
        S* x = static_cast<S*>(p.x) + (row + column) * p.channels + c;
        Pack<float, 4> v = load_channels(x, count, packed);
        Pack<float, 4> sum = {};
#pragma unroll
        for (int k = 0; k < 4; k++) {
            Pack<float, 4> w = s.line[columns.at[k]][lane()];
#pragma unroll
            for (int i = 0; i < 4; i++)
                sum[i] = fmaf(w[i], columns.weight[k], sum[i]);
        }
        Pack<S, 4> out;
#pragma unroll
        for (int i = 0; i < 4; i++)
            out[i] = from_float<S>(v[i] + sum[i]);
        if (packed)
            *reinterpret_cast<Pack<S, 4>*>(x) = out;
        else
#pragma unroll
            for (int i = 0; i < 4; i++)
                if (i < count)
                    x[i] = out[i];
    }
}

// ---------------------------------------------------------------- entry points: unfold is named by photo and out

using U8 = unsigned char;
using U16 = unsigned short;

JMATTE_KERNEL(embed_patches_unfold_u8_fp32, EmbedPatchesUnfold, THREADS, 0) { unfold<U8, float>(p); }
JMATTE_KERNEL(embed_patches_unfold_u8_fp16, EmbedPatchesUnfold, THREADS, 0) { unfold<U8, half>(p); }
JMATTE_KERNEL(embed_patches_unfold_u8_bf16, EmbedPatchesUnfold, THREADS, 0) { unfold<U8, bfloat>(p); }
JMATTE_KERNEL(embed_patches_unfold_u16_fp32, EmbedPatchesUnfold, THREADS, 0) { unfold<U16, float>(p); }
JMATTE_KERNEL(embed_patches_unfold_u16_fp16, EmbedPatchesUnfold, THREADS, 0) { unfold<U16, half>(p); }
JMATTE_KERNEL(embed_patches_unfold_u16_bf16, EmbedPatchesUnfold, THREADS, 0) { unfold<U16, bfloat>(p); }

JMATTE_KERNEL(embed_patches_position_fp32, EmbedPatchesPosition, THREADS, sizeof(PositionShared)) {
    position<float>(p);
}
JMATTE_KERNEL(embed_patches_position_fp16, EmbedPatchesPosition, THREADS, sizeof(PositionShared)) { position<half>(p); }
JMATTE_KERNEL(embed_patches_position_bf16, EmbedPatchesPosition, THREADS, sizeof(PositionShared)) {
    position<bfloat>(p);
}

} // namespace jmatte
