// The user's pixels as a map of input planes: the normalised photo and the trimap, one plane for each of its three
// values.
#include "simd.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int PLANES = 8; // red, green, blue, background, unknown, foreground, and two of zeros
constexpr int SEGMENT = 64;
/// The sides' multiple: shorter ones cannot be reflected far enough.
constexpr int MULTIPLE = 32;

/// Where the padding below and on the right takes its pixels from.
int source(int at, int size) { return at < size ? at : size < MULTIPLE ? size - 1 : 2 * size - 2 - at; }

template <class Sample, class T>
void row(const Sample* photo, const unsigned char* trimap, int width, const float* scale, const float* shift, int first,
         int columns, T* out) {
    float line[SEGMENT * PLANES];
    for (int done = 0; done < columns; done += SEGMENT) {
        int n = columns - done < SEGMENT ? columns - done : SEGMENT;
        for (int i = 0; i < n; i++) {
            long x = source(first + done + i, width);
            float* pixel = line + i * PLANES;
            for (int c = 0; c < 3; c++)
                pixel[c] = __builtin_fmaf(photo[3 * x + c], scale[c], shift[c]);
            pixel[3] = trimap[x] == 0;
            pixel[4] = trimap[x] != 0 && trimap[x] != 255;
            pixel[5] = trimap[x] == 255;
            pixel[6] = pixel[7] = 0;
        }
        each_vector(n * PLANES, [&](int i, auto m) { store(out + (long)done * PLANES + i, load(line + i, m), m); });
    }
}

} // namespace

void input_planes(const void* photo, int bits, long photo_stride, const unsigned char* trimap, int height, int width,
                  const float* scale, const float* shift, int y, int first, int columns, void* out, int type) {
    long from = source(y, height);
    const char* line = (const char*)photo + from * photo_stride;
    const unsigned char* known = trimap + from * width;
    if (bits == 16 && type == BF16)
        row((const uint16_t*)line, known, width, scale, shift, first, columns, (bf16*)out);
    else if (bits == 16)
        row((const uint16_t*)line, known, width, scale, shift, first, columns, (float*)out);
    else if (type == BF16)
        row((const uint8_t*)line, known, width, scale, shift, first, columns, (bf16*)out);
    else
        row((const uint8_t*)line, known, width, scale, shift, first, columns, (float*)out);
}

} // namespace JMATTE_ISA
} // namespace jmatte
