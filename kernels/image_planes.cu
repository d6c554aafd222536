// A photo and its trimap as the six planes that PAM reads, padded by reflection at the right and at the bottom:
//
//     out[y, x] = (R scale + shift, G .., B .., background, unknown, foreground) at (r(y), r(x))
//     with r(i) = i below the size s, else 2 (s - 1) - i (the edge is not repeated)
//
//   out  [ring, out_width, pitch] T   rows y0 to y1 - 1 of at most 2 height - 1, out_width at most 2 width - 1; row y
//                                     lies in slot y % ring; of `channels` planes those from the seventh on are zeros,
//                                     so that what reads them can have whole packs
//   photo                             photo.cuh: interleaved RGB of 8 or 16 bits, trimap of bytes; 0 is background, 255
//                                     foreground, all else unknown
// T is half, bfloat or float; normalised in fp32, rounded once.
//
// Launch: 256 threads, grid x = ceil(out_width / 256), y = y1 - y0. One phase: a thread makes one position.
//
// The wrong choice: planes for a 3x3 convolution with zero padding, which conv3x3 makes on the way in.
#include "photo.cuh"

namespace jmatte {

struct ImagePlanes {
    Photo photo;
    void* out;
    int out_width, out_ring, out_pitch;
    int y0;
    int channels;
};

constexpr int THREADS = 256;
constexpr int PLANES = 6;

JMATTE_DEVICE int reflected(int i, int size) { return i < size ? i : 2 * (size - 1) - i; }

template <class T>
JMATTE_DEVICE void image_planes(const ImagePlanes& p) {
    const int y = p.y0 + block_y(), x = block_x() * THREADS + thread();
    if (x >= p.out_width)
        return;
    const int from_y = reflected(y, p.photo.height), from_x = reflected(x, p.photo.width);
    const auto photo = p.photo.planes(from_y, from_x);
    const int byte = p.photo.known(from_y, from_x);
    const float values[PLANES + 2] = {photo[0],
                                      photo[1],
                                      photo[2],
                                      byte == 0 ? 1.0f : 0.0f,
                                      byte != 0 && byte != 255 ? 1.0f : 0.0f,
                                      byte == 255 ? 1.0f : 0.0f};
    T* out = static_cast<T*>(p.out) + ((long long)(y % p.out_ring) * p.out_width + x) * p.out_pitch;
    using Pair = Pack<T, 2>;
    const bool pairs = reinterpret_cast<unsigned long long>(out) % sizeof(Pair) == 0 && p.out_pitch % 2 == 0;
#pragma unroll
    for (int i = 0; i < PLANES; i += 2) {
        const Pair pair = {from_float<T>(values[i]), from_float<T>(values[i + 1])};
        if (pairs) {
            *reinterpret_cast<Pair*>(out + i) = pair;
        } else {
            out[i] = pair[0];
            out[i + 1] = pair[1];
        }
    }
    for (int i = PLANES; i < p.channels; i++)
        out[i] = from_float<T>(0.0f);
}

} // namespace jmatte

using namespace jmatte;

JMATTE_KERNEL(image_planes_fp16, ImagePlanes, THREADS, 0) { image_planes<half>(p); }
JMATTE_KERNEL(image_planes_bf16, ImagePlanes, THREADS, 0) { image_planes<bfloat>(p); }
JMATTE_KERNEL(image_planes_fp32, ImagePlanes, THREADS, 0) { image_planes<float>(p); }
