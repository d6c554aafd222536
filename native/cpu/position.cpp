// The position table [14, 14, channels] resized to the grid by bicubic interpolation, added to the tokens.
//
// The interpolation is separable: the four table rows of a grid row are combined once, for a block of channels that
// stays in the L1 cache, and every token of the row then takes four columns of that.
#include "simd.h"

#include <math.h>

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int TABLE = 14;
constexpr int BLOCK = 256; // channels: 14 columns of them take 14 KB of stack

struct Taps {
    int at[4];
    float weight[4];
};

/// The taps of position i of `size`, in float like PyTorch's, so that both round the coordinates alike.
JMATTE_INLINE Taps cubic(int i, int size) {
    constexpr float a = -0.75f;
    float source = (i + 0.5f) * ((float)TABLE / size) - 0.5f;
    int whole = (int)floorf(source);
    float t = source - whole, u = 1 - t;
    Taps taps;
    taps.weight[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    taps.weight[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    taps.weight[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    taps.weight[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
    for (int k = 0; k < 4; k++) {
        int at = whole - 1 + k;
        taps.at[k] = at < 0 ? 0 : at >= TABLE ? TABLE - 1 : at;
    }
    return taps;
}

template <class Lanes>
JMATTE_INLINE Vec combine(const float* from, long step, const Taps& taps, Lanes m) {
    Vec v = load(from + taps.at[0] * step, m) * splat(taps.weight[0]);
    for (int k = 1; k < 4; k++)
        v = fma(load(from + taps.at[k] * step, m), splat(taps.weight[k]), v);
    return v;
}

/// Adds `channels` (at most BLOCK) channels to the columns x0 .. x1 - 1 of one grid row.
void add_block(float* x, const Taps& rows, int x0, int x1, int grid_width, long stride, int channels,
               const float* table) {
    float line[TABLE * BLOCK];
    for (int column = 0; column < TABLE; column++) {
        const float* from = table + column * stride;
        float* to = line + column * BLOCK;
        each_vector(channels, [&](int c, auto m) { store(to + c, combine(from + c, TABLE * stride, rows, m), m); });
    }
    for (int column = x0; column < x1; column++) {
        Taps columns = cubic(column, grid_width);
        float* to = x + (column - x0) * stride;
        each_vector(channels,
                    [&](int c, auto m) { store(to + c, load(to + c, m) + combine(line + c, BLOCK, columns, m), m); });
    }
}

} // namespace

void add_position(float* x, long first, long rows, int grid_height, int grid_width, int channels, const float* table) {
    for (long token = first; token < first + rows;) {
        int y = (int)(token / grid_width), x0 = (int)(token % grid_width);
        long left = first + rows - token;
        int x1 = left < grid_width - x0 ? x0 + (int)left : grid_width;
        Taps taps = cubic(y, grid_height);
        for (int c = 0; c < channels; c += BLOCK) {
            int n = channels - c < BLOCK ? channels - c : BLOCK;
            add_block(x + (token - first) * channels + c, taps, x0, x1, grid_width, channels, n, table + c);
        }
        token += x1 - x0;
    }
}

} // namespace JMATTE_ISA
} // namespace jmatte
