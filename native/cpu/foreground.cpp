// Fast multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling 2020): of a photo I and its alpha a, the
// colours F and B, smooth where a is, for which I = a F + (1 - a) B.
//
// Per pixel, with the weights w_n = 1e-5 + |a - a_n| of its four neighbours, their sum W, and f and b the weighted
// means of the neighbours' F and B, the method's least squares
//   (a F + (1 - a) B - I)^2 + sum over n of w_n ((F - F_n)^2 + (B - B_n)^2)
// are a rank-one change of the unit matrix; their solution moves the means along (a, 1 - a):
//   F = f + a r, B = b + (1 - a) r with r = (I - a f - (1 - a) b) / (a^2 + (1 - a)^2 + W).
//
// One tile of one level at a time. A Jacobi step needs each neighbour's previous value, so the tile is loaded with a
// halo as wide as there are steps, and every step's area is smaller by one pixel: no tile waits for another, and none
// sees another's order. Beyond the picture's edge a pixel is its own neighbour.
#include "simd.h"

#include <math.h>

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int PLANES = 6; // F's red, green, blue, then B's
constexpr float REGULARISATION = 1e-5f;

/// A tile with its halo, as planes. A row has one more value on both sides, for what lies beyond the picture.
struct Tile {
    int top, left, rows, columns;
    long pitch;
    float *alpha, *image[3], *colours[PLANES], *next[PLANES];

    long at(int row) const { return row * pitch; }
};

long tile_pitch(int columns) { return columns + 2; }

Tile tile_in(void* scratch, int top, int left, int bottom, int right) {
    Tile t = {top, left, bottom - top, right - left, tile_pitch(right - left), 0, {}, {}, {}};
    float* plane = (float*)scratch + 1;
    auto take = [&] {
        float* taken = plane;
        plane += t.rows * t.pitch;
        return taken;
    };
    t.alpha = take();
    for (float*& p : t.image)
        p = take();
    for (float*& p : t.colours)
        p = take();
    for (float*& p : t.next)
        p = take();
    return t;
}

/// Repeats a row's first and last value.
JMATTE_INLINE void extend(float* row, int columns) {
    row[-1] = row[0];
    row[columns] = row[columns - 1];
}

/// What a pixel of a level stands for: the middle one of the 2^shift x 2^shift pixels that it covers.
JMATTE_INLINE int sample(int i, int shift, int size) {
    int at = (int)(((long)i << shift) + (1L << shift >> 1));
    return at < size ? at : size - 1;
}

template <class T>
void load_image(const Tile& t, const void* photo, long stride, int height, int width, int shift, float scale) {
    for (int r = 0; r < t.rows; r++) {
        const T* row = (const T*)((const char*)photo + sample(t.top + r, shift, height) * stride);
        for (int c = 0; c < t.columns; c++) {
            const T* pixel = row + 3L * sample(t.left + c, shift, width);
            for (int i = 0; i < 3; i++)
                t.image[i][t.at(r) + c] = pixel[i] * scale;
        }
    }
}

template <class T>
void load_alpha(const Tile& t, const void* alpha, int height, int width, int shift, float scale) {
    for (int r = 0; r < t.rows; r++) {
        const T* row = (const T*)alpha + (long)sample(t.top + r, shift, height) * width;
        float* to = t.alpha + t.at(r);
        for (int c = 0; c < t.columns; c++)
            to[c] = row[sample(t.left + c, shift, width)] * scale;
        extend(to, t.columns);
    }
}

/// The start of a level: the coarser one's colours, or the image itself.
void load_colours(const Tile& t, const float* coarse, int height, int width) {
    long coarse_width = (width + 1) / 2, area = (height + 1) / 2 * coarse_width;
    for (int p = 0; p < PLANES; p++)
        for (int r = 0; r < t.rows; r++) {
            float* to = t.colours[p] + t.at(r);
            if (coarse) {
                const float* from = coarse + p * area + (t.top + r) / 2 * coarse_width;
                for (int c = 0; c < t.columns; c++)
                    to[c] = from[(t.left + c) / 2];
            } else {
                copy_bytes(to, t.image[p % 3] + t.at(r), t.columns * (long)sizeof(float));
            }
            extend(to, t.columns);
        }
}

/// To 0..1, NaN to 0.
JMATTE_INLINE Vec clamp(Vec v) { return min(max(v, zero()), splat(1)); }

/// One Jacobi step of one row, from `colours` to `next`.
void step(const Tile& t, int row, int first, int columns) {
    long here = t.at(row) + first;
    long neighbours[] = {row > 0 ? -t.pitch : 0, row + 1 < t.rows ? t.pitch : 0, -1, 1};
    each_vector(columns, [=, &t, &neighbours](int c, auto m) {
        long at = here + c;
        Vec a = load(t.alpha + at, m), b = splat(1) - a;
        Vec weight[4], total = zero();
#pragma GCC unroll 4
        for (int n = 0; n < 4; n++) {
            weight[n] = splat(REGULARISATION) + abs(a - load(t.alpha + at + neighbours[n], m));
            total += weight[n];
        }
        Vec share = splat(1) / total, gain = splat(1) / (a * a + b * b + total);
#pragma GCC unroll 3
        for (int i = 0; i < 3; i++) {
            Vec f = zero(), g = zero();
#pragma GCC unroll 4
            for (int n = 0; n < 4; n++) {
                f = fma(weight[n], load(t.colours[i] + at + neighbours[n], m), f);
                g = fma(weight[n], load(t.colours[3 + i] + at + neighbours[n], m), g);
            }
            f *= share;
            g *= share;
            Vec residual = (load(t.image[i] + at, m) - a * f - b * g) * gain;
            store(t.next[i] + at, clamp(fma(a, residual, f)), m);
            store(t.next[3 + i] + at, clamp(fma(b, residual, g)), m);
        }
    });
}

template <class T>
void store_foreground(const Tile& t, int y0, int x0, int rows, int columns, int width, float top, T* out) {
    for (int y = y0; y < y0 + rows; y++)
        for (int x = x0; x < x0 + columns; x++)
            for (int i = 0; i < 3; i++)
                out[3 * ((long)y * width + x) + i] = (T)(int)(t.colours[i][t.at(y - t.top) + x - t.left] * top + 0.5f);
}

void store_level(const Tile& t, int y0, int x0, int rows, int columns, int height, int width, float* level) {
    for (int p = 0; p < PLANES; p++)
        for (int y = y0; y < y0 + rows; y++)
            copy_bytes(level + ((long)p * height + y) * width + x0, t.colours[p] + t.at(y - t.top) + x0 - t.left,
                       columns * (long)sizeof(float));
}

} // namespace

void estimate_foreground(const void* photo, int bits, long photo_stride, const void* alpha, int format, int height,
                         int width, int shift, const float* coarse, int steps, int y0, int x0, int rows, int columns,
                         void* out, void* scratch) {
    int level_height = ((height - 1) >> shift) + 1, level_width = ((width - 1) >> shift) + 1;
    auto above = [](int at) { return at > 0 ? at : 0; };
    auto below = [](int at, int size) { return at < size ? at : size; };
    Tile t = tile_in(scratch, above(y0 - steps), above(x0 - steps), below(y0 + rows + steps, level_height),
                     below(x0 + columns + steps, level_width));
    if (bits == 16)
        load_image<uint16_t>(t, photo, photo_stride, height, width, shift, 1 / 65535.0f);
    else
        load_image<uint8_t>(t, photo, photo_stride, height, width, shift, 1 / 255.0f);
    if (format == 0)
        load_alpha<uint8_t>(t, alpha, height, width, shift, 1 / 255.0f);
    else if (format == 1)
        load_alpha<uint16_t>(t, alpha, height, width, shift, 1 / 65535.0f);
    else
        load_alpha<float>(t, alpha, height, width, shift, 1);
    load_colours(t, coarse, level_height, level_width);
    for (int halo = steps - 1; halo >= 0; halo--) {
        int top = above(y0 - halo) - t.top, left = above(x0 - halo) - t.left;
        int bottom = below(y0 + rows + halo, level_height) - t.top;
        int right = below(x0 + columns + halo, level_width) - t.left;
        for (int row = top; row < bottom; row++) {
            step(t, row, left, right - left);
            for (float* plane : t.next)
                extend(plane + t.at(row), t.columns);
        }
        for (int p = 0; p < PLANES; p++) {
            float* done = t.next[p];
            t.next[p] = t.colours[p];
            t.colours[p] = done;
        }
    }
    if (shift > 0)
        store_level(t, y0, x0, rows, columns, level_height, level_width, (float*)out);
    else if (bits == 16)
        store_foreground(t, y0, x0, rows, columns, width, 65535, (uint16_t*)out);
    else
        store_foreground(t, y0, x0, rows, columns, width, 255, (uint8_t*)out);
}

long estimate_foreground_scratch(int steps, int rows, int columns) {
    return (4 + 2 * PLANES) * (rows + 2 * steps) * tile_pitch(columns + 2 * steps) * (long)sizeof(float);
}

} // namespace JMATTE_ISA
} // namespace jmatte
