// A block of threads, run as fibers of one thread of the host.
#pragma once

#include <memory>
#include <vector>

#include "checker.h"
#include "fiber.h"
#include "report.h"
#include "twins.h"

namespace emulator {

constexpr int LANES = 32, MOST_THREADS = 1024, MOST_WARPS = MOST_THREADS / LANES;
constexpr uint32_t ALL_LANES = ~0u;

/// Bytes of shared memory that a block may have: on sm_75 and sm_80.
constexpr long shared_limit(int architecture) { return architecture >= 80 ? 163 * 1024 : 64 * 1024; }

/// Where lanes meet.
enum class Meeting { WARP, SHUFFLE, BALLOT, LOAD_MATRIX, MMA };

/// What a lane brings to a meeting that works on registers: mma_tile's operands, or load_matrix's address and result.
struct Operands {
    float* d;
    const uint32_t *a, *b;
    uint32_t* result;
    const void* row;
};

struct Warp {
    uint32_t runnable; // lanes that neither wait nor have ended
    uint32_t arrived;  // lanes that wait in the current meeting
    uint32_t ended;    // the others wait in sync_block()
    Meeting meeting;   // that of the lanes that have arrived
    int shape;         // must be the same in all lanes too
    int round;         // alternates: a lane may be at the next meeting before others have read the results of this one
    uint32_t votes[2];
    uint32_t values[2][LANES];
    const void* places[LANES]; // return addresses of the current meeting
    Operands operands[LANES];
};

struct AsyncCopy {
    void* to;
    const void* from;
    bool valid;
    int group;
    const void* place;
};

/// The asynchronous copies of a thread that have not been waited for.
struct AsyncCopies {
    std::vector<AsyncCopy> pending;
    int committed = 0;
};

/// What a launch runs in every block.
struct Task {
    const Kernel* kernel;
    const void* parameters;
    int grid[3];
    uint64_t seed;    // 0: in order
    Checker* checker; // may be null
    Report* report;
};

class Block {
public:
    Block();
    /// Shared memory lies in here, with room on both sides.
    char* shared_range() const { return shared_memory_ - SHARED_OFFSET; }
    static constexpr long SHARED_RANGE = 512 * 1024, SHARED_OFFSET = 128 * 1024;

    /// False if the block was given up because of a finding.
    bool run(const Task& task, long index);
    /// Whether one of its threads runs now.
    bool running() const { return running_; }

    // For the twins, called by the running fiber.
    Warp& warp() { return warps_[unsigned(here.thread) / LANES]; }
    /// True in the last lane: it does the work of all and then calls release(); the others call wait().
    bool arrive(Warp& warp, Meeting meeting, int shape, const void* place) {
        if (!warp.arrived) {
            warp.meeting = meeting;
            warp.shape = shape;
        } else if (warp.meeting != meeting || warp.shape != shape) {
            fail_to_meet(warp, meeting, place);
        }
        warp.places[here.thread % LANES] = place;
        warp.arrived |= lane_bit();
        stop_lane(warp);
        if (warp.arrived != ALL_LANES)
            return false;
        if (task_->checker)
            check_meeting_place(warp);
        return true;
    }
    void release(Warp& warp) {
        warp.arrived = 0;
        warp.round ^= 1;
        warp.runnable = ALL_LANES;
        active_warps_ |= warp_bit(warp);
        if (task_->seed)
            wait(); // or else the last lane would always be the first to go on
    }
    /// Runs other threads until this one can go on.
    void wait() {
        int self = here.thread, next = choose();
        if (next == self) // after a meeting, in a random order
            return;
        here.thread = next;
        void* context = contexts_[next];
        emulator_switch_fiber(&contexts_[self], context ? context : first_context());
    }
    void sync_block(const void* place);
    AsyncCopies& copies() { return copies_[here.thread]; }
    /// Performs the oldest copies until at most `groups` closed groups are left.
    void complete_copies(int groups);
    const Task& task() const { return *task_; }
    bool in_shared_memory(const void* at, long bytes) const;
    /// Reports and gives the block up.
    [[noreturn]] EMULATOR_API void fail(Finding finding);
    /// For findings: "scale_fp16 (sm_80) block 1,0,2", and the same with " thread 17".
    std::string block_name() const;
    EMULATOR_API std::string who(int thread) const;

private:
    static void fiber_body();
    void run_threads();
    /// Marks the running thread as ended; the next one to run, or -1 after the last.
    int end_thread();
    /// A thread that can run, another one unless the order is random.
    int choose() {
        unsigned w = unsigned(here.thread) / LANES;
        uint32_t lanes = warps_[w].runnable;
        if (!lanes || task_->seed)
            return choose_warp(w);
        return int(w * LANES) + next_bit(lanes, here.thread % LANES);
    }
    int choose_warp(unsigned current_warp);
    int choose_random();
    /// The first set bit after bit i, round the word.
    static int next_bit(uint32_t mask, int i) {
        int shift = (i + 1) & 31;
        uint32_t turned = mask >> shift | mask << (-shift & 31);
        return (__builtin_ctz(turned) + shift) & 31;
    }
    static uint32_t lane_bit() { return 1u << (here.thread % LANES); }
    uint32_t warp_bit(const Warp& warp) const { return 1u << (&warp - warps_); }
    void stop_lane(Warp& warp) {
        warp.runnable &= ~lane_bit();
        if (!warp.runnable)
            active_warps_ &= ~warp_bit(warp);
    }
    /// Where a thread that has not run yet starts, on a stack of its own.
    void* first_context();
    [[noreturn]] void stuck();
    [[noreturn]] void fail_to_meet(const Warp& warp, Meeting meeting, const void* place);
    void check_meeting_place(const Warp& warp);
    void check_barrier_place();
    void check_guards();

    const Task* task_;
    uint64_t random_;
    int threads_, waiting_, ended_; // counts
    bool running_ = false, failed_;
    uint32_t active_warps_; // with runnable lanes
    char* shared_memory_;
    void* main_context_;
    Stacks stacks_;
    char* next_stack_;
    void* contexts_[MOST_THREADS]; // null: not started
    const void* barrier_places_[MOST_THREADS];
    Warp warps_[MOST_WARPS];
    AsyncCopies copies_[MOST_THREADS];
};

/// The block that this thread of the host runs.
extern EMULATOR_API __thread Block* current __attribute__((tls_model("initial-exec")));

const char* name_of(Meeting meeting);

} // namespace emulator
