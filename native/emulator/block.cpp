#include "block.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulator {

__thread Here here;
__thread Block* current;
Checker* checker;

static constexpr int POISON = 0xff; // makes NaN of whatever is read as a number
static constexpr long GUARD = 512;  // bytes on either side of shared memory that are compared after each block

Block::Block() {
    void* memory = mmap(nullptr, SHARED_RANGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("emulator: no memory for shared memory");
        abort();
    }
    shared_memory_ = static_cast<char*>(memory) + SHARED_OFFSET;
}

static uint64_t next_random(uint64_t& state) { // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

bool Block::run(const Task& task, long index) {
    task_ = &task;
    threads_ = task.kernel->threads;
    waiting_ = ended_ = 0;
    failed_ = false;
    random_ = task.seed;
    random_ = next_random(random_) + uint64_t(index) * 0x9e3779b97f4a7c15u;
    int warps = threads_ / LANES;
    active_warps_ = warps == MOST_WARPS ? ~0u : (1u << warps) - 1;
    for (int w = 0; w < warps; w++) {
        warps_[w].runnable = ALL_LANES;
        warps_[w].arrived = warps_[w].ended = 0;
        warps_[w].round = 0;
    }
    memset(contexts_, 0, sizeof(void*) * threads_);
    memset(shared_memory_ - GUARD, POISON, task.kernel->shared_bytes + 2 * GUARD);

    here.block_x = int(index % task.grid[0]);
    here.block_y = int(index / task.grid[0] % task.grid[1]);
    here.block_z = int(index / task.grid[0] / task.grid[1]);
    here.grid_x = task.grid[0];
    here.shared = shared_memory_;
    current = this;
    if (task.checker)
        task.checker->begin_block();

    here.thread = task.seed ? choose_random() : 0;
    running_ = true;
    emulator_switch_fiber(&main_context_, first_context());
    running_ = false;

    if (failed_) {
        stacks_.reset();
        for (int t = 0; t < threads_; t++)
            copies_[t] = {};    // of threads that did not come to their end
    } else if (!task.checker) { // which has seen more
        check_guards();
    }
    return !failed_;
}

// ---------------------------------------------------------------- threads

void Block::fiber_body() { current->run_threads(); }

/// One thread after the other, until one that already has a stack is to go on. Threads that never wait so share a
/// single stack and cost no switch.
void Block::run_threads() {
    char* stack = next_stack_;
    for (;;) {
        task_->kernel->run(task_->parameters);
        int next = end_thread();
        if (next >= 0 && !contexts_[next]) {
            here.thread = next;
            continue;
        }
        stacks_.give(stack);
        void* unused;
        if (next >= 0) {
            here.thread = next;
            emulator_switch_fiber(&unused, contexts_[next]);
        } else {
            emulator_switch_fiber(&unused, main_context_);
        }
    }
}

int Block::end_thread() {
    copies().pending.clear(); // what nobody waited for may never arrive
    copies().committed = 0;
    Warp& w = warp();
    w.ended |= lane_bit();
    stop_lane(w);
    if (++ended_ == threads_)
        return -1;
    return choose();
}

void* Block::first_context() {
    next_stack_ = stacks_.take();
    return prepare_fiber(next_stack_, fiber_body);
}

int Block::choose_warp(unsigned current_warp) {
    if (!active_warps_)
        stuck();
    if (task_->seed)
        return choose_random();
    int w = next_bit(active_warps_, int(current_warp));
    return w * LANES + __builtin_ctz(warps_[w].runnable);
}

static int random_bit(uint32_t mask, uint64_t& state) {
    for (int skip = int(next_random(state) % unsigned(__builtin_popcount(mask))); skip > 0; skip--)
        mask &= mask - 1;
    return __builtin_ctz(mask);
}

int Block::choose_random() {
    int w = random_bit(active_warps_, random_);
    return w * LANES + random_bit(warps_[w].runnable, random_);
}

// ---------------------------------------------------------------- meetings

const char* name_of(Meeting meeting) {
    static const char* const names[] = {"sync_warp", "a shuffle", "ballot", "load_matrix", "mma"};
    return names[int(meeting)];
}

void Block::sync_block(const void* place) {
    barrier_places_[here.thread] = place;
    stop_lane(warp());
    if (++waiting_ < threads_) {
        wait();
        return;
    }
    if (task_->checker) {
        check_barrier_place();
        task_->checker->block_synced();
    }
    waiting_ = 0;
    int warps = threads_ / LANES;
    for (int w = 0; w < warps; w++)
        warps_[w].runnable = ALL_LANES;
    active_warps_ = warps == MOST_WARPS ? ~0u : (1u << warps) - 1;
    if (task_->seed)
        wait();
}

// ---------------------------------------------------------------- findings

std::string Block::block_name() const {
    return format("%s (sm_%d) block %d,%d,%d", task_->kernel->name, task_->kernel->architecture, here.block_x,
                  here.block_y, here.block_z);
}

std::string Block::who(int thread) const { return format("%s thread %d", block_name().c_str(), thread); }

void Block::fail(Finding finding) {
    running_ = false;
    task_->report->add(std::move(finding));
    failed_ = true;
    void* unused;
    emulator_switch_fiber(&unused, main_context_);
    __builtin_unreachable();
}

/// Nobody can run: threads wait for others that have ended or wait elsewhere.
void Block::stuck() {
    Finding finding("divergence");
    finding.say(block_name());
    auto state = [&](int t) { // what a thread is doing, and where
        const Warp& w = warps_[t / LANES];
        uint32_t bit = 1u << (t % LANES);
        if (w.ended & bit)
            return std::pair<const char*, const void*>("ended", nullptr);
        if (w.arrived & bit)
            return std::pair<const char*, const void*>(name_of(w.meeting), w.places[t % LANES]);
        return std::pair<const char*, const void*>("sync_block", barrier_places_[t]);
    };
    int groups = 0;
    for (int first = 0, next; first < threads_; first = next) {
        auto at = state(first);
        for (next = first + 1; next < threads_ && state(next) == at;)
            next++;
        const char* verb = at.second ? "wait in " : "have ";
        if (++groups > 8) {
            finding.say(", and so on");
            break;
        }
        finding.say(format("%s threads %d-%d %s%s", groups > 1 ? "," : "", first, next - 1, verb, at.first), at.second);
    }
    fail(std::move(finding));
}

void Block::fail_to_meet(const Warp& w, Meeting meeting, const void* place) {
    int other = __builtin_ctz(w.arrived);
    fail(Finding("lanes of a warp meet at different operations")
             .say(format("%s is at %s", who(here.thread).c_str(), name_of(meeting)), place)
             .say(format(", lane %d at %s", other, name_of(w.meeting)), w.places[other]));
}

/// Two calls on one source line count as one: the compiler may have copied the line.
static bool same_place(const void* a, const void* b) { return a == b || source_line(a) == source_line(b); }

void Block::check_meeting_place(const Warp& w) {
    for (int lane = 1; lane < LANES; lane++)
        if (!same_place(w.places[lane], w.places[0]))
            fail(Finding("lanes of a warp meet at different lines")
                     .say(format("%s is at %s", who(int(&w - warps_) * LANES).c_str(), name_of(w.meeting)), w.places[0])
                     .say(format(", lane %d", lane), w.places[lane]));
}

void Block::check_barrier_place() {
    for (int t = 1; t < threads_; t++)
        if (!same_place(barrier_places_[t], barrier_places_[0]))
            fail(Finding("threads of a block meet at different lines")
                     .say(format("%s is at sync_block", who(0).c_str()), barrier_places_[0])
                     .say(format(", thread %d", t), barrier_places_[t]));
}

bool Block::in_shared_memory(const void* at, long bytes) const {
    auto p = static_cast<const char*>(at);
    return p >= shared_memory_ && p + bytes <= shared_memory_ + task_->kernel->shared_bytes;
}

/// Writes just outside shared memory, seen even without checking.
void Block::check_guards() {
    struct Guard {
        char bytes[GUARD];
        Guard() { memset(bytes, POISON, GUARD); }
    };
    static const Guard expected;
    const char* end = shared_memory_ + task_->kernel->shared_bytes;
    bool before = memcmp(shared_memory_ - GUARD, expected.bytes, GUARD) != 0;
    if (!before && memcmp(end, expected.bytes, GUARD) == 0)
        return;
    task_->report->add(
        Finding("out of bounds")
            .say(format("%s wrote %s shared memory", block_name().c_str(), before ? "before" : "past the end of")));
    failed_ = true;
}

} // namespace emulator
