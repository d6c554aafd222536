// The kernels' side of the engine, except for the matrix units.
#include "twins.h"

#include <cstring>

#include "block.h"

namespace emulator {

// The address after the call in the kernel, which stands for a source line.
#define PLACE __builtin_return_address(0)

static void watch(const Block& block, const void* at, long bytes, Access kind, const void* place) {
    if (Checker* c = block.task().checker)
        c->access(at, bytes, kind, here.thread, place);
}

void sync_block() { current->sync_block(PLACE); }

void sync_warp() {
    Block& b = *current;
    Warp& w = b.warp();
    if (b.arrive(w, Meeting::WARP, 0, PLACE)) {
        if (Checker* c = b.task().checker)
            c->warp_synced(here.thread / LANES);
        b.release(w);
    } else {
        b.wait();
    }
}

uint32_t exchange(uint32_t bits, int from) {
    Block& b = *current;
    Warp& w = b.warp();
    uint32_t* values = w.values[w.round];
    values[here.thread % LANES] = bits;
    if (b.arrive(w, Meeting::SHUFFLE, 0, PLACE))
        b.release(w);
    else
        b.wait();
    return values[from];
}

uint32_t ballot(bool predicate) {
    Block& b = *current;
    Warp& w = b.warp();
    uint32_t& votes = w.votes[w.round];
    if (!w.arrived)
        votes = 0;
    votes |= uint32_t(predicate) << (here.thread % LANES);
    if (b.arrive(w, Meeting::BALLOT, 0, PLACE))
        b.release(w);
    else
        b.wait();
    return votes;
}

// Blocks run side by side, so these are atomic on the host too.

uint32_t atomic_add(uint32_t* at, uint32_t v) {
    watch(*current, at, sizeof *at, Access::ATOMIC, PLACE);
    return __atomic_fetch_add(at, v, __ATOMIC_RELAXED);
}

uint32_t atomic_or(uint32_t* at, uint32_t v) {
    watch(*current, at, sizeof *at, Access::ATOMIC, PLACE);
    return __atomic_fetch_or(at, v, __ATOMIC_RELAXED);
}

// ---------------------------------------------------------------- asynchronous copies

static constexpr int COPY = 16;

static void copy_now(void* to, const void* from, bool valid) {
    if (valid)
        memcpy(to, from, COPY);
    else
        memset(to, 0, COPY);
}

void copy_async(void* to, const void* from, bool valid, bool queued) {
    Block& b = *current;
    if ((uintptr_t(to) | uintptr_t(from)) % COPY)
        b.fail(
            Finding("misaligned")
                .say(format("%s copies from %p to %p, not both multiples of 16", b.who(here.thread).c_str(), from, to),
                     PLACE));
    if (!b.in_shared_memory(to, COPY))
        b.fail(Finding("out of bounds")
                   .say(format("%s copies to %p, outside shared memory", b.who(here.thread).c_str(), to), PLACE));
    if (valid)
        watch(b, from, COPY, Access::READ, PLACE);
    watch(b, to, COPY, queued ? Access::ASYNC_WRITE : Access::WRITE, PLACE);
    if (queued) {
        memset(to, 0xff, COPY);
        AsyncCopies& copies = b.copies();
        copies.pending.push_back({to, from, valid, copies.committed, PLACE});
    } else {
        copy_now(to, from, valid);
    }
}

void commit_async() { current->copies().committed++; }

void wait_async(int groups) { current->complete_copies(groups); }

void Block::complete_copies(int groups) {
    AsyncCopies& copies = this->copies();
    auto copy = copies.pending.begin();
    for (; copy != copies.pending.end() && copy->group < copies.committed - groups; ++copy) {
        // Read as late as may be, so that whoever changes the source too early is found out.
        if (copy->valid)
            watch(*this, copy->from, COPY, Access::READ, copy->place);
        watch(*this, copy->to, COPY, Access::ASYNC_DONE, copy->place);
        copy_now(copy->to, copy->from, copy->valid);
    }
    copies.pending.erase(copies.pending.begin(), copy);
}

} // namespace emulator
