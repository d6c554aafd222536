// The dialect's functions one by one, for the emulator's tests: what they must give is computed there.
#include "device.cuh"

namespace jmatte {

struct Arrays {
    unsigned* out;
    const unsigned* in;
    int count;
};

JMATTE_DEVICE int element() { return block_x() * 256 + thread(); }

// ---------------------------------------------------------------- numbers

JMATTE_KERNEL(half_to_float, Arrays, 256, 0) {
    p.out[element()] = float_bits(to_float(half{(unsigned short)(p.in[element()])}));
}
JMATTE_KERNEL(float_to_half, Arrays, 256, 0) { p.out[element()] = from_float<half>(bits_float(p.in[element()])).bits; }
JMATTE_KERNEL(float_to_half_pairs, Arrays, 256, 0) {
    p.out[element()] = pack2<half>(bits_float(p.in[element()]), bits_float(p.in[element() ^ 1]));
}
JMATTE_KERNEL(bfloat_to_float, Arrays, 256, 0) {
    p.out[element()] = float_bits(to_float(bfloat{(unsigned short)(p.in[element()])}));
}
JMATTE_KERNEL(float_to_bfloat, Arrays, 256, 0) {
    p.out[element()] = from_float<bfloat>(bits_float(p.in[element()])).bits;
}
JMATTE_KERNEL(powers_of_two, Arrays, 256, 0) { p.out[element()] = float_bits(exp2(bits_float(p.in[element()]))); }

// ---------------------------------------------------------------- warps

/// Eight results per thread.
JMATTE_KERNEL(warp_functions, Arrays, 256, 0) {
    unsigned* out = p.out + 8 * element();
    int v = int(p.in[element()]);
    out[0] = unsigned(shuffle(v, lane() * 7 + 3));
    out[1] = unsigned(shuffle_xor(v, 5));
    out[2] = unsigned(shuffle_up(v, 3));
    out[3] = ballot(v % 3 == 0);
    out[4] = unsigned(count_bits(unsigned(v)));
    out[5] = float_bits(shuffle_xor(bits_float(unsigned(v)), 16));
    out[6] = float_bits(warp_sum(float(v % 1000)));
    out[7] = float_bits(warp_max(float(v % 1000)));
}

/// Where a thread is: block x + 10 y + 100 z, and the grid's width.
JMATTE_KERNEL(places, Arrays, 64, 0) {
    int block = block_x() + grid_x() * (block_y() + 3 * block_z());
    unsigned* out = p.out + 4 * (block * 64 + thread());
    out[0] = unsigned(block_x() + 10 * block_y() + 100 * block_z());
    out[1] = unsigned(grid_x());
    out[2] = unsigned(lane());
    out[3] = unsigned(warp());
}

JMATTE_KERNEL(histogram, Arrays, 256, 0) {
    for (int i = element(); i < p.count; i += 256 * grid_x()) {
        atomic_add(p.out + p.in[i] % 64, 1);
        atomic_or(p.out + 64 + p.in[i] % 64, p.in[i]);
    }
}

// ---------------------------------------------------------------- matrix units: one warp

/// N 8x8 matrices of 16-bit elements, row after row, at `in`; every lane's N registers to `out`.
template <int N, bool TRANSPOSED>
JMATTE_DEVICE void load_matrices(const Arrays& p) {
    struct Rows {
        Pack<half, 8> v[8 * N];
    };
    Rows& s = shared<Rows>();
    if (lane() < 8 * N)
        s.v[lane()] = reinterpret_cast<const Pack<half, 8>*>(p.in)[lane()];
    sync_warp();
    unsigned r[N];
    const void* row = s.v[lane() % (8 * N)].v;
    if constexpr (TRANSPOSED)
        load_matrix_transposed<N>(r, row);
    else
        load_matrix<N>(r, row);
    for (int i = 0; i < N; i++)
        p.out[N * lane() + i] = r[i];
}
JMATTE_KERNEL(load_matrix_1, Arrays, 32, 128) { load_matrices<1, false>(p); }
JMATTE_KERNEL(load_matrix_2, Arrays, 32, 256) { load_matrices<2, false>(p); }
JMATTE_KERNEL(load_matrix_4, Arrays, 32, 512) { load_matrices<4, false>(p); }
JMATTE_KERNEL(load_matrix_transposed_1, Arrays, 32, 128) { load_matrices<1, true>(p); }
JMATTE_KERNEL(load_matrix_transposed_2, Arrays, 32, 256) { load_matrices<2, true>(p); }
JMATTE_KERNEL(load_matrix_transposed_4, Arrays, 32, 512) { load_matrices<4, true>(p); }

/// Rows at odd multiples of eight bytes.
JMATTE_KERNEL(load_matrix_misaligned, Arrays, 32, 256) {
    struct Rows {
        alignas(16) unsigned short v[128];
    };
    Rows& s = shared<Rows>();
    for (int i = 0; i < 4; i++)
        s.v[4 * lane() + i] = 0;
    sync_warp();
    unsigned r[1];
    load_matrix<1>(r, s.v + 8 * (lane() % 8) + 4); // here
    p.out[lane()] = r[0];
}

/// `in`: every lane's registers of A, then every lane's of B; `out`: every lane's sums, added to what is there.
template <class T, int MT, int NT>
JMATTE_DEVICE void multiply(const Arrays& p) {
    unsigned a[MT][A_REGISTERS], b[NT][B_REGISTERS];
    float d[MT][NT][4];
    const unsigned* as = p.in + lane() * MT * A_REGISTERS;
    const unsigned* bs = p.in + 32 * MT * A_REGISTERS + lane() * NT * B_REGISTERS;
    float* out = reinterpret_cast<float*>(p.out) + lane() * MT * NT * 4;
    for (int i = 0; i < MT * A_REGISTERS; i++)
        a[i / A_REGISTERS][i % A_REGISTERS] = as[i];
    for (int i = 0; i < NT * B_REGISTERS; i++)
        b[i / B_REGISTERS][i % B_REGISTERS] = bs[i];
    for (int i = 0; i < MT * NT * 4; i++)
        d[i / 4 / NT][i / 4 % NT][i % 4] = out[i];
    mma_tile<T>(d, a, b);
    for (int i = 0; i < MT * NT * 4; i++)
        out[i] = d[i / 4 / NT][i / 4 % NT][i % 4];
}
JMATTE_KERNEL(multiply_half_1x1, Arrays, 32, 0) { multiply<half, 1, 1>(p); }
JMATTE_KERNEL(multiply_half_3x2, Arrays, 32, 0) { multiply<half, 3, 2>(p); }

// ---------------------------------------------------------------- order

/// Depends on the order of threads and blocks: the last one to come stays.
JMATTE_KERNEL(last_comes, Arrays, 256, 0) { p.out[0] = unsigned(element()); }

/// Does not: sums over a block through shuffles, shared memory and barriers.
JMATTE_KERNEL(block_sums, Arrays, 256, 64) {
    struct Partial {
        float v[8];
    };
    Partial& s = shared<Partial>();
    float total = 0;
    for (int i = thread(); i < p.count; i += 256) {
        float sum = warp_sum(bits_float(p.in[element()]) * float(i + 1));
        sync_block();
        if (lane() == 0)
            s.v[warp()] = sum;
        sync_block();
        for (int w = 0; w < 8; w++)
            total += s.v[w];
    }
    p.out[element()] = float_bits(total);
}

} // namespace jmatte
