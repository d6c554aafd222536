// The matrix units: load_matrix and mma_tile. The last lane to arrive works for the whole warp.
//
// In a fragment, lane 4g + t holds of an 8x8 matrix the elements (g, 2t) and (g, 2t + 1) in one register. A of mma is
// (two by K/8) such matrices, register r the one at rows 8 (r % 2) and columns 8 (r / 2); B, K x 8, is K/8 of them
// transposed; an accumulator has the rows g and g + 8, two floats each.
#include "block.h"

namespace emulator {

#define PLACE __builtin_return_address(0)

// ---------------------------------------------------------------- load_matrix

static constexpr int ROW = 16; // bytes

static void check_row(Block& b, const void* row, const void* place) {
    if (uintptr_t(row) % ROW)
        b.fail(Finding("misaligned")
                   .say(format("%s loads a matrix row from %p, not a multiple of 16", b.who(here.thread).c_str(), row),
                        place));
    if (!b.in_shared_memory(row, ROW))
        b.fail(Finding("out of bounds")
                   .say(format("%s loads a matrix row from %p, outside shared memory", b.who(here.thread).c_str(), row),
                        place));
}

/// Rows become columns.
static void transpose(__m128i (&rows)[8]) {
    __m128i pairs[8], quads[8];
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = _mm_unpacklo_epi16(rows[i], rows[i + 4]);
        pairs[2 * i + 1] = _mm_unpackhi_epi16(rows[i], rows[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        quads[2 * i] = _mm_unpacklo_epi16(pairs[i], pairs[i + 4]);
        quads[2 * i + 1] = _mm_unpackhi_epi16(pairs[i], pairs[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        rows[2 * i] = _mm_unpacklo_epi16(quads[i], quads[i + 4]);
        rows[2 * i + 1] = _mm_unpackhi_epi16(quads[i], quads[i + 4]);
    }
}

static void load_matrices(const Warp& w, int count, bool transposed) {
    for (int i = 0; i < count; i++) {
        __m128i rows[8];
        for (int g = 0; g < 8; g++)
            rows[g] = _mm_load_si128(static_cast<const __m128i*>(w.operands[8 * i + g].row));
        if (transposed)
            transpose(rows);
        for (int g = 0; g < 8; g++) {
            const Operands* quad = w.operands + 4 * g;
            quad[0].result[i] = uint32_t(_mm_cvtsi128_si32(rows[g]));
            quad[1].result[i] = uint32_t(_mm_extract_epi32(rows[g], 1));
            quad[2].result[i] = uint32_t(_mm_extract_epi32(rows[g], 2));
            quad[3].result[i] = uint32_t(_mm_extract_epi32(rows[g], 3));
        }
    }
}

/// A read counts for the lane that receives the elements.
static void watch_matrices(Checker& c, const Warp& w, int count, bool transposed) {
    int warp_start = here.thread / LANES * LANES;
    for (int i = 0; i < count; i++)
        for (int lane = 0; lane < LANES; lane++) {
            int g = lane / 4, t = lane % 4;
            auto read = [&](int row, int byte, int bytes) {
                c.access(static_cast<const char*>(w.operands[8 * i + row].row) + byte, bytes, Access::READ,
                         warp_start + lane, w.places[lane]);
            };
            if (transposed) {
                read(2 * t, 2 * g, 2);
                read(2 * t + 1, 2 * g, 2);
            } else {
                read(g, 4 * t, 4);
            }
        }
}

void load_matrix(uint32_t* r, const void* row, int count, bool transposed) {
    Block& b = *current;
    Warp& w = b.warp();
    int lane = here.thread % LANES;
    if (lane < 8 * count)
        check_row(b, row, PLACE);
    w.operands[lane].result = r;
    w.operands[lane].row = row;
    if (b.arrive(w, Meeting::LOAD_MATRIX, 2 * count + transposed, PLACE)) {
        if (Checker* c = b.task().checker)
            watch_matrices(*c, w, count, transposed);
        load_matrices(w, count, transposed);
        b.release(w);
    } else {
        b.wait();
    }
}

// ---------------------------------------------------------------- mma_tile

static __m256 to_floats(Element type, __m128i v) {
    return type == Element::HALF ? _mm256_cvtph_ps(v)
                                 : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
}

/// A's 16 rows and B's 8 columns of the tiles, as floats.
template <int K>
struct Rows {
    alignas(32) float v[16][K];
};
template <int K>
struct Columns {
    __m256 v[K];
};

template <int K>
static void unpack_a(Element type, const Operands* lanes, int m, Rows<K>& rows) {
    constexpr int REGISTERS = K / 4;
    for (int r = 0; r < REGISTERS; r++)
        for (int g = 0; g < 8; g++) {
            const Operands* quad = lanes + 4 * g;
            int at = m * REGISTERS + r;
            __m128i row = _mm_set_epi32(int(quad[3].a[at]), int(quad[2].a[at]), int(quad[1].a[at]), int(quad[0].a[at]));
            _mm256_store_ps(&rows.v[g + 8 * (r % 2)][8 * (r / 2)], to_floats(type, row));
        }
}

template <int K>
static void unpack_b(Element type, const Operands* lanes, int n, Columns<K>& columns) {
    constexpr int REGISTERS = K / 8;
    for (int r = 0; r < REGISTERS; r++)
        for (int t = 0; t < 4; t++) {
            auto pair = [&](int g) { return int(lanes[4 * g + t].b[n * REGISTERS + r]); };
            // Rows 2t and 2t + 1 of all columns; through memory they would wait for each other.
            __m256i both = _mm256_set_epi32(pair(7), pair(6), pair(5), pair(4), pair(3), pair(2), pair(1), pair(0));
            auto narrow = [](__m256i v) { // eight 32-bit integers below 65536 to 16 bits
                __m256i packed = _mm256_packus_epi32(v, v);
                return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
            };
            __m256i low = _mm256_and_si256(both, _mm256_set1_epi32(0xffff)), high = _mm256_srli_epi32(both, 16);
            columns.v[8 * r + 2 * t] = to_floats(type, narrow(low));
            columns.v[8 * r + 2 * t + 1] = to_floats(type, narrow(high));
        }
}

/// Two floats of each of a quad's lanes.
static __m256 load_row(const Operands* quad, int at) {
    auto two = [&](int t) { return reinterpret_cast<const __m64*>(quad[t].d + at); };
    __m128 low = _mm_loadh_pi(_mm_loadl_pi(_mm_setzero_ps(), two(0)), two(1));
    __m128 high = _mm_loadh_pi(_mm_loadl_pi(_mm_setzero_ps(), two(2)), two(3));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}
static void store_row(const Operands* quad, int at, __m256 v) {
    auto two = [&](int t) { return reinterpret_cast<__m64*>(quad[t].d + at); };
    __m128 low = _mm256_castps256_ps128(v), high = _mm256_extractf128_ps(v, 1);
    _mm_storel_pi(two(0), low);
    _mm_storeh_pi(two(1), low);
    _mm_storel_pi(two(2), high);
    _mm_storeh_pi(two(3), high);
}

/// Products of 16-bit elements are exact in fp32, so a fused multiply-add rounds as a product and a sum would.
template <int K>
static void multiply_tiles(Element type, const Operands* lanes, int mt, int nt) {
    constexpr int MOST = 16; // little, because every fiber's stack sees this once in a while
    Columns<K> columns[MOST];
    for (int first = 0; first < nt; first += MOST) {
        int tiles = nt - first < MOST ? nt - first : MOST;
        for (int n = 0; n < tiles; n++)
            unpack_b(type, lanes, first + n, columns[n]);
        for (int m = 0; m < mt; m++) {
            Rows<K> rows;
            unpack_a(type, lanes, m, rows);
            for (int n = 0; n < tiles; n++)
                for (int h = 0; h < 2; h++) { // eight rows: as many sums as hide the adder's latency
                    int at = 4 * (m * nt + first + n) + 2 * h;
                    __m256 sums[8];
#pragma GCC unroll 8
                    for (int g = 0; g < 8; g++)
                        sums[g] = load_row(lanes + 4 * g, at);
                    for (int k = 0; k < K; k++)
#pragma GCC unroll 8
                        for (int g = 0; g < 8; g++)
                            sums[g] = _mm256_fmadd_ps(_mm256_set1_ps(rows.v[8 * h + g][k]), columns[n].v[k], sums[g]);
#pragma GCC unroll 8
                    for (int g = 0; g < 8; g++)
                        store_row(lanes + 4 * g, at, sums[g]);
                }
        }
    }
}

void mma_tile(Element type, int k, int mt, int nt, float* d, const uint32_t* a, const uint32_t* b) {
    Block& block = *current;
    Warp& w = block.warp();
    Operands& operands = w.operands[here.thread % LANES];
    operands.d = d;
    operands.a = a;
    operands.b = b;
    if (block.arrive(w, Meeting::MMA, mt << 16 | nt << 8 | int(type), PLACE)) {
        if (k == 16)
            multiply_tiles<16>(type, w.operands, mt, nt);
        else
            multiply_tiles<8>(type, w.operands, mt, nt);
        block.release(w);
    } else {
        block.wait();
    }
}

} // namespace emulator
