// Kernels with planted faults, one each, for the emulator's own tests: every one must be found, at the lines that are
// marked, by a launch of one block (or as said) in the plain order. The kernels without a fault must pass.
#include "device.cuh"

namespace jmatte {

struct Words {
    unsigned* out;
    const unsigned* in;
    int count;
};

constexpr int THREADS = 64;

struct Row {
    alignas(16) unsigned v[THREADS];
};

// ---------------------------------------------------------------- barriers

JMATTE_DEVICE void rotate(const Words& p, bool synced) {
    Row& s = shared<Row>();
    s.v[thread()] = p.in[thread()]; // here
    if (synced)
        sync_block();
    p.out[thread()] = s.v[(thread() + 33) % THREADS]; // and here
}
JMATTE_KERNEL(correct_barrier, Words, THREADS, sizeof(Row)) { rotate(p, true); }
JMATTE_KERNEL(missing_barrier, Words, THREADS, sizeof(Row)) { rotate(p, false); }

/// The second step overwrites what a slower warp has yet to read in the first.
JMATTE_KERNEL(missing_second_barrier, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    unsigned sum = 0;
    for (int step = 0; step < 2; step++) {
        s.v[thread()] = p.in[thread()] + unsigned(step); // here
        sync_block();
        sum += s.v[(thread() + 33) % THREADS]; // and here
    }
    p.out[thread()] = sum;
}

JMATTE_DEVICE void swap_lanes(const Words& p, bool synced) {
    Row& s = shared<Row>();
    s.v[thread()] = p.in[thread()]; // here
    if (synced)
        sync_warp();
    int unused = shuffle_xor(thread(), 1);                                   // meets, but orders no memory
    p.out[thread()] = s.v[thread() ^ 1] + unsigned(unused - (thread() ^ 1)); // and here
}
JMATTE_KERNEL(correct_sync_warp, Words, THREADS, sizeof(Row)) { swap_lanes(p, true); }
JMATTE_KERNEL(missing_sync_warp, Words, THREADS, sizeof(Row)) { swap_lanes(p, false); }

/// sync_warp orders the lanes of one warp only.
JMATTE_KERNEL(warp_barrier_between_warps, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    s.v[thread()] = p.in[thread()]; // here
    sync_warp();
    p.out[thread()] = s.v[thread() ^ 32]; // and here
}

/// Several lanes and warps read what is written later: after a barrier, and without.
JMATTE_KERNEL(correct_read_by_all, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    s.v[thread()] = p.in[thread()];
    sync_block();
    unsigned first = s.v[0], second = s.v[thread() / 32];
    sync_block();
    if (lane() == 0)
        s.v[thread()] = first;
    p.out[thread()] = first + second;
}
JMATTE_KERNEL(read_then_written, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    s.v[thread()] = p.in[thread()];
    sync_block();
    p.out[thread()] = s.v[thread() / 32 * 32]; // here
    sync_warp();
    if (thread() == 0)
        s.v[32] = 1; // and here
}

// ---------------------------------------------------------------- divergence

JMATTE_KERNEL(ended_before_barrier, Words, THREADS, 0) {
    if (thread() < p.count)
        return;
    sync_block(); // here
    p.out[thread()] = 1;
}

JMATTE_KERNEL(divergent_barrier, Words, THREADS, 0) {
    if (thread() < 32)
        sync_block(); // here
    else
        p.out[thread()] = 2;
    sync_block(); // and here
}

JMATTE_KERNEL(divergent_shuffle, Words, THREADS, 0) {
    int v = thread();
    if (lane() < 16)
        v = shuffle_xor(v, 1); // here
    p.out[thread()] = unsigned(v);
}

JMATTE_KERNEL(different_meetings, Words, THREADS, 0) {
    unsigned v;
    if (lane() < 16)
        v = unsigned(shuffle_xor(thread(), 1)); // here
    else
        v = ballot(true); // and here
    p.out[thread()] = v;
}

JMATTE_KERNEL(different_lines, Words, THREADS, 0) {
    int v;
    if (lane() % 2)
        v = shuffle(thread() + 5, 3); // here
    else
        v = shuffle(thread(), 4); // and here
    p.out[thread()] = unsigned(v);
}

// ---------------------------------------------------------------- memory

JMATTE_KERNEL(past_the_end, Words, THREADS, 0) {
    p.out[thread() + p.count] = 1; // here
}

JMATTE_KERNEL(past_shared_memory, Words, THREADS, sizeof(Row)) {
    unsigned* s = shared<Row>().v;
    s[thread() + p.count] = 1; // here
}

/// Still inside shared memory, but in somebody else's part.
JMATTE_KERNEL(past_an_array, Words, THREADS, 2 * sizeof(Row)) {
    struct Parts {
        Row first, second;
    };
    Parts& s = shared<Parts>();
    s.second.v[thread()] = 0;
    sync_block();
    s.first.v[thread() + p.count] = 1; // here
}

JMATTE_KERNEL(uninitialised_shared, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    if (thread() != 7)
        s.v[thread()] = p.in[thread()];
    sync_block();
    p.out[thread()] = s.v[thread() ^ 1]; // here
}

JMATTE_KERNEL(copies, Words, THREADS, 0) {
    if (thread() < p.count)
        p.out[thread()] = p.in[thread()]; // here
}

JMATTE_KERNEL(misaligned, Words, THREADS, 0) {
    auto from = reinterpret_cast<const Pack<unsigned, 4>*>(p.in + p.count);
    p.out[thread()] = (*from)[3]; // here
}

JMATTE_KERNEL(null_pointer, Words, THREADS, 0) {
    if (thread() == 5)
        *(p.out - p.count) = 1; // here
}

// ---------------------------------------------------------------- blocks

/// Two blocks: both write the same words.
JMATTE_KERNEL(blocks_write_the_same, Words, THREADS, 0) {
    p.out[thread()] = unsigned(block_x()); // here
}

/// Two blocks: the second reads what the first has written.
JMATTE_KERNEL(block_reads_another, Words, THREADS, 0) {
    if (block_x() == 0)
        p.out[thread()] = 1; // here
    else
        p.out[thread() + THREADS] = p.out[thread()] + 1; // and here
}

/// Three blocks: all read a word, the last writes it too.
JMATTE_KERNEL(block_writes_what_others_read, Words, THREADS, 0) {
    if (thread() != 0)
        return;
    unsigned v = p.in[0]; // here
    if (block_x() == 2)
        const_cast<unsigned*>(p.in)[0] = v + 1; // and here
    p.out[block_x()] = v;
}

JMATTE_KERNEL(correct_atomics, Words, THREADS, 0) {
    unsigned v = p.in[block_x() * THREADS + thread()];
    atomic_add(p.out + v % 16, 1);
    atomic_or(p.out + 16, 1u << (v % 16));
}

JMATTE_KERNEL(atomic_and_plain, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    s.v[thread()] = 0;
    sync_block();
    atomic_add(&s.v[0], 1);   // here
    p.out[thread()] = s.v[0]; // and here
}

// ---------------------------------------------------------------- asynchronous copies: 16 bytes by each of 16 threads

template <int PENDING, bool WAIT, bool SYNC>
JMATTE_DEVICE void copy_row(const Words& p) {
    Row& s = shared<Row>();
    if (thread() < 16)
        copy_async(s.v + 4 * thread(), p.in + 4 * thread(), 4 * thread() < p.count); // here
    commit_async();
    if (WAIT)
        wait_async<PENDING>();
    if (SYNC)
        sync_block();
    p.out[thread()] = s.v[thread()]; // and here
    wait_async<0>();
}
JMATTE_KERNEL(correct_async, Words, THREADS, sizeof(Row)) { copy_row<0, true, true>(p); }
JMATTE_KERNEL(async_without_wait, Words, THREADS, sizeof(Row)) { copy_row<0, false, true>(p); }
JMATTE_KERNEL(async_waits_for_others, Words, THREADS, sizeof(Row)) { copy_row<1, true, true>(p); }
JMATTE_KERNEL(async_without_barrier, Words, THREADS, sizeof(Row)) { copy_row<0, true, false>(p); }

/// Two stages: the next row is on its way while this one is summed.
JMATTE_KERNEL(correct_pipeline, Words, THREADS, 2 * sizeof(Row)) {
    Row* stages = &shared<Row>();
    auto fetch = [&](int row) {
        if (thread() < 16 && row < p.count)
            copy_async(stages[row % 2].v + 4 * thread(), p.in + row * THREADS + 4 * thread());
        commit_async();
    };
    unsigned sum = 0;
    fetch(0);
    for (int row = 0; row < p.count; row++) {
        fetch(row + 1);
        wait_async<1>();
        sync_block();
        sum += stages[row % 2].v[thread() ^ 63];
        sync_block();
    }
    p.out[thread()] = sum;
}

/// The source changes between issue and wait.
JMATTE_KERNEL(async_source_changes, Words, THREADS, sizeof(Row)) {
    Row& s = shared<Row>();
    if (thread() == 0)
        copy_async(s.v, p.in); // here
    commit_async();
    if (thread() == 1)
        const_cast<unsigned*>(p.in)[1] = 7; // and here
    wait_async<0>();
    sync_block();
    if (thread() < 4)
        p.out[thread()] = s.v[thread()];
}

// ---------------------------------------------------------------- neighbours in one word

struct Narrow {
    half* halves;
    unsigned char* bytes;
};
struct NarrowShared {
    half halves[THREADS];
    unsigned char bytes[THREADS];
};
/// Every thread has elements of its own, of two bytes and of one.
JMATTE_KERNEL(correct_neighbours, Narrow, THREADS, sizeof(NarrowShared)) {
    NarrowShared& s = shared<NarrowShared>();
    s.halves[thread()] = from_float<half>(float(thread()));
    s.bytes[thread()] = (unsigned char)(thread());
    s.bytes[thread()] = (unsigned char)(s.bytes[thread()] + 1);
    p.halves[thread()] = from_float<half>(to_float(s.halves[thread()]) + 1.0f);
    p.bytes[thread()] = s.bytes[thread()];
    sync_block();
    p.halves[thread()] = s.halves[thread() ^ 1];
}
JMATTE_KERNEL(byte_of_a_neighbour, Narrow, THREADS, sizeof(NarrowShared)) {
    NarrowShared& s = shared<NarrowShared>();
    s.bytes[thread()] = (unsigned char)(thread());              // here
    p.bytes[thread()] = s.bytes[thread() == 9 ? 10 : thread()]; // and here
}

} // namespace jmatte
