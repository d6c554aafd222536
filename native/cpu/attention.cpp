// out = softmax(q k' / 8 + bias) v among many tokens, one head and one stretch of queries at a time.
//
// Operands: per head, q, k and v apart, [padded tokens][64] each, as the words of attention_tile.h. Keys come in tiles
// that stay in the first two caches while every block of the stretch takes them in; the softmax is kept up to date
// tile by tile, so that scores are never stored.
#include "attention_tile.h"

namespace jmatte {
namespace JMATTE_ISA {
namespace {

constexpr int QUERIES = 96; // per call: k and v are read once for so many
constexpr int BLOCKS = QUERIES / SPAN;
constexpr int KEYS = 128; // of a tile

long padded(long tokens) { return (tokens + 15) / 16 * 16; }

template <bool PAIRS>
float* operand(const void* operands, long tokens, int head, int which) {
    return (float*)operands + (head * 3L + which) * padded(tokens) * words(PAIRS);
}

template <bool PAIRS, class In>
void pack(const In* qkv, long begin, long rows, long tokens, int heads, void* operands) {
    static const In nothing[DEPTH] = {};
    long end = begin + rows == tokens ? padded(tokens) : begin + rows;
    long stride = 3L * heads * DEPTH;
    for (long token = begin; token < end; token += 2) {
        const In* even = token < tokens ? qkv + (token - begin) * stride : nullptr;
        const In* odd = token + 1 < tokens ? qkv + (token + 1 - begin) * stride : nullptr;
        for (int head = 0; head < heads; head++) {
            auto row = [&](const In* of, int which) {
                return of ? of + (long)(which * heads + head) * DEPTH : nothing;
            };
            for (int which = 0; which < 2; which++) {
                float* out = operand<PAIRS>(operands, tokens, head, which) + token * words(PAIRS);
                pack_row<PAIRS>(row(even, which), out);
                pack_row<PAIRS>(row(odd, which), out + words(PAIRS));
            }
            pack_values<PAIRS>(row(even, 2), row(odd, 2),
                               operand<PAIRS>(operands, tokens, head, 2) + token * words(PAIRS));
        }
    }
}

template <bool PAIRS, bool GRID, class Out>
void attend_all(const void* operands, long tokens, int heads, int head, long begin, int queries, int grid_height,
                int grid_width, const float* rel_h, const float* rel_w, Out* out, void* scratch) {
    float* scores = aligned(scratch);
    float* next = scores + KEYS * SPAN;
    Block blocks[BLOCKS];
    for (int b = 0; b < BLOCKS; b++)
        next = place(blocks[b], next, grid_height, grid_width);
    const float* q = operand<PAIRS>(operands, tokens, head, 0);
    for (int b = 0; b * SPAN < queries; b++) {
        const Block& block = blocks[b];
        long start = begin + b * SPAN;
        int count = queries - b * SPAN < SPAN ? queries - b * SPAN : SPAN;
        load_queries<PAIRS>(q + start * words(PAIRS), words(PAIRS), count, block.q);
        clear(block);
        if constexpr (GRID) {
            float* fp32 = next;
            float* products = fp32 + DEPTH * SPAN;
            int y[SPAN], x[SPAN];
            for (int lane = 0; lane < SPAN; lane++) {
                long token = start + (lane < count ? lane : count - 1);
                y[lane] = int(token / grid_width);
                x[lane] = int(token % grid_width);
            }
            queries_for_bias<PAIRS>(block.q, fp32);
            relative<3>(fp32, rel_h, grid_height, y, products, block.strip_h);
            relative<3>(fp32, rel_w, grid_width, x, products, block.strip_w);
        }
    }
    const float* k = operand<PAIRS>(operands, tokens, head, 1);
    const float* v = operand<PAIRS>(operands, tokens, head, 2);
    for (long key = 0; key < tokens; key += KEYS) {
        int count = int(tokens - key < KEYS ? tokens - key : KEYS);
        int y = GRID ? int(key / grid_width) : 0, x = GRID ? int(key % grid_width) : 0;
        for (int b = 0; b * SPAN < queries; b++)
            attend<PAIRS, GRID, 3>(k + key * words(PAIRS), v + key * words(PAIRS), count, blocks[b], y, x, grid_width,
                                   scores);
    }
    for (int b = 0; b * SPAN < queries; b++)
        store_queries(blocks[b].output, blocks[b].total, queries - b * SPAN < SPAN ? queries - b * SPAN : SPAN,
                      out + (begin + b * SPAN) * heads * DEPTH + head * DEPTH, (long)heads * DEPTH);
}

} // namespace

void attention_pack(const void* qkv, int type, long first, long rows, long tokens, int heads, void* operands) {
    if (type == BF16)
        pack<HAS_PAIRS>((const bf16*)qkv, first, rows, tokens, heads, operands);
    else
        pack<false>((const float*)qkv, first, rows, tokens, heads, operands);
}

long attention_operands(long tokens, int heads, int type) {
    return 3L * heads * padded(tokens) * words(type == BF16 && HAS_PAIRS) * long(sizeof(float));
}

void attention(const void* operands, int type, long tokens, int heads, int head, long first, int queries,
               int grid_height, int grid_width, const float* rel_h, const float* rel_w, void* out, void* scratch) {
    if (type == BF16 && grid_width > 0)
        attend_all<HAS_PAIRS, true>(operands, tokens, heads, head, first, queries, grid_height, grid_width, rel_h,
                                    rel_w, (bf16*)out, scratch);
    else if (type == BF16)
        attend_all<HAS_PAIRS, false>(operands, tokens, heads, head, first, queries, 0, 0, rel_h, rel_w, (bf16*)out,
                                     scratch);
    else if (grid_width > 0)
        attend_all<false, true>(operands, tokens, heads, head, first, queries, grid_height, grid_width, rel_h, rel_w,
                                (float*)out, scratch);
    else
        attend_all<false, false>(operands, tokens, heads, head, first, queries, 0, 0, rel_h, rel_w, (float*)out,
                                 scratch);
}

int attention_queries() { return QUERIES; }

long attention_scratch(int grid_height, int grid_width, int) {
    long height = grid_width > 0 ? grid_height : 0, width = grid_width > 0 ? grid_width : 0;
    long longer = height > width ? height : width;
    long floats = KEYS * SPAN + BLOCKS * (Block::FLOATS + (height + width) * SPAN) + (DEPTH + 2 * longer) * SPAN;
    return floats * long(sizeof(float)) + 64;
}

} // namespace JMATTE_ISA
} // namespace jmatte
