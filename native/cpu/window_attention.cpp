// out = softmax(q k' / 8 + q rel_h[qy - ky + 13] + q rel_w[qx - kx + 13]) v inside one 14x14 window, head after head.
//
// k and v of a head are copied together, with the bias where the window leaves the image; then each block of queries
// (attention_tile.h) takes the window's 196 keys in a single tile.
#include "attention_tile.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int WINDOW = 14;
constexpr int KEYS = WINDOW * WINDOW;
constexpr int PADDED = (KEYS + 7) / 8 * 8; // whole register tiles are read
constexpr int FLOATS =
    2 * PADDED * DEPTH + PADDED * SPAN + Block::FLOATS + 2 * WINDOW * SPAN + DEPTH * SPAN + (2 * WINDOW - 1) * SPAN;

template <bool PAIRS, int V, class In>
void attend_block(const In* q, long stride, int first_query, int count, int columns, const float* keys,
                  const float* values, const float* rel_h, const float* rel_w, float* scores, const Block& block,
                  float* fp32) {
    int y[SPAN], x[SPAN];
    for (int lane = 0; lane < SPAN; lane++) {
        int query = first_query + (lane < count ? lane : count - 1);
        y[lane] = query / columns;
        x[lane] = query % columns;
    }
    load_queries<PAIRS>(q + first_query * stride, stride, count, block.q);
    clear(block);
    queries_for_bias<PAIRS>(block.q, fp32);
    float* products = fp32 + DEPTH * SPAN;
    relative<V>(fp32, rel_h, WINDOW, y, products, block.strip_h);
    relative<V>(fp32, rel_w, WINDOW, x, products, block.strip_w);
    attend<PAIRS, true, V>(keys, values, KEYS, block, 0, 0, WINDOW, scores);
}

template <bool PAIRS, class T>
void attend_window(const T* qkv, int rows, int columns, int heads, const float* bias, const float* rel_h,
                   const float* rel_w, T* out, void* scratch) {
    float* keys = aligned(scratch);
    float* values = keys + PADDED * DEPTH;
    float* scores = values + PADDED * DEPTH;
    Block block;
    float* fp32 = place(block, scores + PADDED * SPAN, WINDOW, WINDOW);

    long stride = 3L * heads * DEPTH;
    int tokens = rows * columns;
    for (int head = 0; head < heads; head++) {
        T outside[2][DEPTH]; // k and v of a position outside the image
        for (int which = 0; which < 2; which++)
            for (int c = 0; c < DEPTH; c += LANES)
                store(outside[which] + c, load(bias + ((which + 1L) * heads + head) * DEPTH + c));
        const T* k = qkv + (long)(heads + head) * DEPTH;
        const T* v = qkv + (2L * heads + head) * DEPTH;
        auto row = [&](const T* of, int key) {
            int y = key / WINDOW, x = key % WINDOW;
            return y < rows && x < columns ? of + (y * columns + x) * stride : outside[of == v];
        };
        for (int key = 0; key < KEYS; key += 2) {
            pack_row<PAIRS>(row(k, key), keys + key * words(PAIRS));
            pack_row<PAIRS>(row(k, key + 1), keys + (key + 1) * words(PAIRS));
            pack_values<PAIRS>(row(v, key), row(v, key + 1), values + key * words(PAIRS));
        }
        const T* q = qkv + (long)head * DEPTH;
        for (int query = 0; query < tokens; query += SPAN) {
            int count = tokens - query < SPAN ? tokens - query : SPAN;
            auto attend_vectors = count > 2 * LANES ? attend_block<PAIRS, 3, T>
                                  : count > LANES   ? attend_block<PAIRS, 2, T>
                                                    : attend_block<PAIRS, 1, T>;
            attend_vectors(q, stride, query, count, columns, keys, values, rel_h, rel_w, scores, block, fp32);
            store_queries(block.output, block.total, count, out + (long)query * heads * DEPTH + head * DEPTH,
                          (long)heads * DEPTH);
        }
    }
}

} // namespace

void window_attention(const void* qkv, int type, int rows, int columns, int heads, const float* bias,
                      const float* rel_h, const float* rel_w, void* out, void* scratch) {
    if (type == BF16)
        attend_window<HAS_PAIRS>((const bf16*)qkv, rows, columns, heads, bias, rel_h, rel_w, (bf16*)out, scratch);
    else
        attend_window<false>((const float*)qkv, rows, columns, heads, bias, rel_h, rel_w, (float*)out, scratch);
}

long window_attention_scratch(int) { return FLOATS * long(sizeof(float)) + 64; }

} // namespace JMATTE_ISA
} // namespace jmatte
