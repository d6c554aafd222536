// Patches brought into rows, so that a convolution becomes a matrix product; and patches of a map alone.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

// ------------------------------------------------------------------------------------------------ from pixels

constexpr int SEGMENT = 512; // pixels that are normalised at a time
constexpr int STEP = 4;      // of them together: 12 bytes of photo, 4 of trimap

/// value * scale + shift of the interleaved planes RGBT. The trimap's scale has a second, lower part, so that the
/// result is the byte / 255 correctly rounded. Snapped, its bytes become 0, 1, 2 and the scale 1 / 2.
struct Planes {
    Vec scale, low, shift;
    bool snap;
};

Planes planes(const float* scale, const float* shift, int snap) {
    float lanes[3][LANES];
    for (int i = 0; i < LANES; i++) {
        int p = i % 4;
        lanes[0][i] = p < 3 ? scale[p] : snap ? 0.5f : 1 / 255.0f;
        lanes[1][i] = p < 3 || snap ? 0 : (float)(1 / 255.0 - 1 / 255.0f);
        lanes[2][i] = p < 3 ? shift[p] : 0;
    }
    return {load(lanes[0]), load(lanes[1]), load(lanes[2]), snap != 0};
}

JMATTE_INLINE __m128i load12(const unsigned char* p) {
    int tail;
    __builtin_memcpy(&tail, p + 8, sizeof tail);
    return _mm_insert_epi32(_mm_loadl_epi64((const __m128i*)p), tail, 2);
}

/// Four pixels as 16-bit numbers RGBT.
template <class Sample>
JMATTE_INLINE __m256i interleave(const Sample* photo, const unsigned char* trimap, bool snap) {
    int four;
    __builtin_memcpy(&four, trimap, sizeof four);
    __m128i known = _mm_cvtsi32_si128(four);
    if (snap)
        known = _mm_sub_epi8(_mm_min_epu8(known, _mm_set1_epi8(1)), _mm_cmpeq_epi8(known, _mm_set1_epi8(-1)));
    if (sizeof(Sample) == 1) {
        const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
        __m128i rgb = _mm_shuffle_epi8(load12((const unsigned char*)photo), spread);
        return _mm256_cvtepu8_epi16(_mm_or_si128(rgb, _mm_slli_epi32(_mm_cvtepu8_epi32(known), 24)));
    }
    const __m128i spread = _mm_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1);
    __m256i rgb = _mm256_set_m128i(_mm_shuffle_epi8(load12((const unsigned char*)(photo + 6)), spread),
                                   _mm_shuffle_epi8(load12((const unsigned char*)photo), spread));
    return _mm256_or_si256(rgb, _mm256_slli_epi64(_mm256_cvtepu8_epi64(known), 48));
}

template <class T>
JMATTE_INLINE void store_pixels(__m256i values, const Planes& p, T* out) {
#ifdef __AVX512F__
    Vec v = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(values));
    store(out, fma(v, p.scale, fma(v, p.low, p.shift)));
#else
    Vec v = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(values)));
    Vec w = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(values, 1)));
    store(out, fma(v, p.scale, fma(v, p.low, p.shift)));
    store(out + LANES, fma(w, p.scale, fma(w, p.low, p.shift)));
#endif
}

/// `out` has room for the next multiple of STEP.
template <class Sample, class T>
JMATTE_INLINE void normalise(const Sample* photo, const unsigned char* trimap, int pixels, const Planes& p, T* out) {
    int i = 0;
    for (; i <= pixels - STEP; i += STEP)
        store_pixels(interleave(photo + i * 3L, trimap + i, p.snap), p, out + i * 4);
    if (i < pixels) {
        Sample rgb[STEP * 3] = {};
        unsigned char known[STEP] = {};
        __builtin_memcpy(rgb, photo + i * 3L, (pixels - i) * 3 * sizeof(Sample));
        __builtin_memcpy(known, trimap + i, pixels - i);
        store_pixels(interleave(rgb, known, p.snap), p, out + i * 4);
    }
}

struct Image {
    const unsigned char *photo, *trimap;
    long photo_stride;
    int height, width;
};

/// Pixels x .. x + pixels - 1 of row y, zero outside the image.
template <class Sample, class T>
JMATTE_INLINE void segment(const Image& image, int y, int x, int pixels, const Planes& p, T* out) {
    int left = 0, right = 0;
    if (y >= 0 && y < image.height) {
        left = x < 0 ? (-x < pixels ? -x : pixels) : 0;
        right = image.width - x < pixels ? image.width - x : pixels;
        if (right < left)
            right = left;
    }
    __builtin_memset(out, 0, left * 4 * sizeof(T));
    if (right > left)
        normalise((const Sample*)(image.photo + y * image.photo_stride) + (x + left) * 3L,
                  image.trimap + (long)y * image.width + x + left, right - left, p, out + left * 4);
    __builtin_memset(out + right * 4, 0, (pixels - right) * 4 * sizeof(T));
}

template <class Sample, class T>
void unfold(const Image& image, const Planes& p, int kernel, int stride, int padding, int y0, int x0, int rows,
            int columns, T* out) {
    T line[(SEGMENT + STEP) * 4];
    int run = kernel * 4, together = (SEGMENT - kernel) / stride + 1;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c += together) {
            int n = columns - c < together ? columns - c : together;
            T* patch = out + ((long)r * columns + c) * kernel * run;
            for (int ky = 0; ky < kernel; ky++) {
                segment<Sample>(image, (y0 + r) * stride + ky - padding, (x0 + c) * stride - padding,
                                (n - 1) * stride + kernel, p, line);
                T* to = patch + ky * run;
                if (kernel == 3) // a size known here is copied without a loop
                    for (int i = 0; i < n; i++)
                        __builtin_memcpy(to + (long)i * 9 * 4, line + i * stride * 4, 3 * 4 * sizeof(T));
                else
                    for (int i = 0; i < n; i++)
                        copy_bytes(to + (long)i * kernel * run, line + i * stride * 4, run * sizeof(T));
            }
        }
}

// ------------------------------------------------------------------------------------------------ from a map

struct Map {
    const char* data;
    int ring, height, width;
    long pixel; // bytes

    const char* row(int y) const { return data + (y % ring) * width * pixel; }
};

Map map_of(const void* map, int type, int ring, int height, int width, int channels) {
    return {(const char*)map, ring, height, width, channels * (long)(type == BF16 ? sizeof(bf16) : sizeof(float))};
}

/// The pixels x - 1 .. x + 1 of a row, zero where there is none (or no row).
void edge(const Map& map, const char* row, int x, char* out) {
    for (int i = x - 1; i <= x + 1; i++, out += map.pixel)
        if (row && i >= 0 && i < map.width)
            copy_bytes(out, row + i * map.pixel, map.pixel);
        else
            __builtin_memset(out, 0, map.pixel);
}

/// Runs of bytes, from_step and to_step apart; WHOLE vectors of a run, and perhaps a rest.
template <int WHOLE>
void copy_runs(const char* from, long from_step, int count, long run, char* to, long to_step) {
    constexpr long VECTOR = sizeof(Vec);
    for (int i = 0; i < count; i++, from += from_step, to += to_step) {
#pragma GCC unroll 8
        for (int k = 0; k < WHOLE; k++)
            store((float*)(to + k * VECTOR), load((const float*)(from + k * VECTOR)));
        if (WHOLE * VECTOR < run)
            store((float*)(to + run - VECTOR), load((const float*)(from + run - VECTOR)));
    }
}

/// The same of any length; the usual ones without a loop inside the loop.
void copy_runs(const char* from, long from_step, int count, long run, char* to, long to_step) {
    switch (run / (long)sizeof(Vec)) {
    case 1:
        return copy_runs<1>(from, from_step, count, run, to, to_step);
    case 2:
        return copy_runs<2>(from, from_step, count, run, to, to_step);
    case 3:
        return copy_runs<3>(from, from_step, count, run, to, to_step);
    case 4:
        return copy_runs<4>(from, from_step, count, run, to, to_step);
    case 6:
        return copy_runs<6>(from, from_step, count, run, to, to_step);
    }
    for (int i = 0; i < count; i++)
        copy_bytes(to + i * to_step, from + i * from_step, run);
}

} // namespace

void unfold_pixels(const void* photo, int bits, long photo_stride, const unsigned char* trimap, int snap, int height,
                   int width, const float* scale, const float* shift, int kernel, int stride, int padding, int y0,
                   int x0, int rows, int columns, void* out, int type) {
    Image image = {(const unsigned char*)photo, trimap, photo_stride, height, width};
    Planes p = planes(scale, shift, snap);
    if (bits == 16 && type == BF16)
        unfold<uint16_t>(image, p, kernel, stride, padding, y0, x0, rows, columns, (bf16*)out);
    else if (bits == 16)
        unfold<uint16_t>(image, p, kernel, stride, padding, y0, x0, rows, columns, (float*)out);
    else if (type == BF16)
        unfold<uint8_t>(image, p, kernel, stride, padding, y0, x0, rows, columns, (bf16*)out);
    else
        unfold<uint8_t>(image, p, kernel, stride, padding, y0, x0, rows, columns, (float*)out);
}

void unfold3x3(const void* map, int type, int ring, int height, int width, int channels, int stride, int y0, int x0,
               int rows, int columns, void* out, long pitch) {
    Map from = map_of(map, type, ring, height, width, channels);
    long run = 3 * from.pixel; // the three neighbours of a tap row lie side by side in the map and in the result
    long step = pitch * (from.pixel / channels);
    // The columns whose neighbours are all inside are from `begin` to `end`.
    int begin = x0 == 0, end = columns;
    while (end > begin && (x0 + end - 1) * stride + 1 >= width)
        end--;
    char* to = (char*)out;
    for (int r = 0; r < rows; r++, to += columns * step)
        for (int ky = 0; ky < 3; ky++) {
            int y = (y0 + r) * stride + ky - 1;
            const char* row = y >= 0 && y < height ? from.row(y) : nullptr;
            char* at = to + ky * run;
            int inner = row ? begin : columns, after = row ? end : columns;
            for (int c = 0; c < inner; c++)
                edge(from, row, (x0 + c) * stride, at + c * step);
            if (inner < after)
                copy_runs(row + ((x0 + inner) * (long)stride - 1) * from.pixel, stride * from.pixel, after - inner, run,
                          at + inner * step, step);
            for (int c = after; c < columns; c++)
                edge(from, row, (x0 + c) * stride, at + c * step);
        }
}

void unfold2x2(const void* map, int type, int height, int width, int channels, int y0, int x0, int rows, int columns,
               void* out) {
    Map from = map_of(map, type, height, height, width, channels);
    long run = 2 * from.pixel;
    char* to = (char*)out;
    for (int r = 0; r < rows; r++) {
        const char* row[2] = {from.row(2 * (y0 + r)), from.row(2 * (y0 + r) + 1)};
        for (int c = 0; c < columns; c++)
            for (int ky = 0; ky < 2; ky++, to += run)
                copy_bytes(to, row[ky] + (x0 + c) * run, run);
    }
}

void copy_clamped(const void* map, int type, int ring, int height, int width, int channels, int y0, int x0, int rows,
                  int columns, void* out) {
    Map from = map_of(map, type, ring, height, width, channels);
    // Columns before `inside` repeat the map's first column, those from `after` on its last.
    int inside = x0 < 0 ? (-x0 < columns ? -x0 : columns) : 0;
    int after = width - x0 < columns ? width - x0 : columns;
    if (after < inside)
        after = inside;
    char* to = (char*)out;
    for (int r = 0; r < rows; r++) {
        int y = y0 + r;
        const char* row = from.row(y < 0 ? 0 : y < height ? y : height - 1);
        for (int c = 0; c < inside; c++, to += from.pixel)
            copy_bytes(to, row, from.pixel);
        copy_bytes(to, row + (x0 + inside) * from.pixel, (after - inside) * from.pixel);
        to += (after - inside) * from.pixel;
        for (int c = after; c < columns; c++, to += from.pixel)
            copy_bytes(to, row + (width - 1) * from.pixel, from.pixel);
    }
}

} // namespace JMATTE_ISA
} // namespace jmatte
