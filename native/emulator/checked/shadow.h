// What is known about every byte of device and shared memory: who wrote and who read it last, and when.
//
// Time within a launch is counted in epochs: a new one begins with every block and whenever the threads of a block have
// met in sync_block(). Blocks run one after the other, so an epoch belongs to one block, and two accesses in
//   - the same epoch are concurrent, unless one thread made both or two lanes of one warp did that have met in
//     sync_warp() in between (the warp's own count, its phase, differs then);
//   - different epochs of one block are ordered;
//   - blocks of one launch are concurrent; launches are ordered.
// This finds a missing barrier on the path that is run, whatever the order in which the threads really ran.
#pragma once

#include <cstring>
#include <set>
#include <tuple>
#include <vector>

#include "block.h"
#include "checker.h"

namespace emulator {

/// Accesses that count as one: a read or a set of concurrent ones, a write or a set of atomic ones.
struct Record {
    uint32_t epoch; // 0: never
    uint32_t who;   // thread, phase of its warp, marks
    uint32_t place; // the lower half of a return address

    static constexpr uint32_t THREAD = 0x3ff, WARP = 0x3e0, PHASE_SHIFT = 10, PHASE = 0xffffu << PHASE_SHIFT;
    static constexpr uint32_t SEVERAL_LANES = 1u << 26; // of the warp, in the same phase
    static constexpr uint32_t SEVERAL_WARPS = 1u << 27;
    static constexpr uint32_t OTHER_BLOCKS = 1u << 28; // too, earlier in this launch
    static constexpr uint32_t IS_ATOMIC = 1u << 29;
    static constexpr uint32_t PENDING = 1u << 30; // an asynchronous copy that nobody has waited for
    static constexpr uint32_t SPLIT = 1u << 31;   // in a word's first byte: its bytes differ
};

/// A byte's history. A word whose bytes share theirs keeps it in the first.
struct Cell {
    Record write, read;
};

class Shadow final : public Checker {
public:
    void device_range(const void* base, long bytes) override;
    void shared_range(const void* base, long bytes) override;
    void allocated(long buffer, long bytes) override;
    void released(long buffer, long bytes) override;
    void written_by_host(long address, long bytes) override;
    void all_written() override;
    void begin_launch(const Kernel& kernel, Report& report) override;
    void end_launch() override;
    void begin_block() override;
    void block_synced() override;
    void warp_synced(int warp) override {
        phases_[warp] = (phases_[warp] + (1u << Record::PHASE_SHIFT)) & Record::PHASE;
    }
    void access(const void* at, long bytes, Access kind, int thread, const void* place) override;

    /// An access by the running thread to any address of the process.
    template <Access kind>
    void touch(uintptr_t at, uintptr_t bytes, const void* place) {
        if (at - device_base_ < device_size_)
            touch_device<kind>(at, bytes, uint32_t(here.thread), place);
        else if (at - shared_base_ < shared_size_)
            touch_shared<kind>(at, bytes, uint32_t(here.thread), place);
        else if (at < LOWEST)
            wild(at, kind, place);
    }
    // The compiler's other findings: with a misaligned address the processor would perhaps not go on.
    void misaligned(uintptr_t at, const void* place);
    void bad_index(long index, const void* place);

private:
    static constexpr uint32_t BY_HOST = 1; // the epoch of what the host wrote
    static constexpr uintptr_t LOWEST = 65536, PAGE = 4096;

    /// Forgets all; whatever buffers hold counts as written.
    void start_over();

    struct Buffer {
        uintptr_t start, end; // both 0: the entry is free
        bool written;         // every byte of it
    };
    struct BlockStart {
        uint32_t epoch;
        int x, y, z;
    };
    /// The current access.
    struct Now {
        uintptr_t at;
        uint32_t who;
        const void* place;
        bool device;
        bool written; // all of the buffer
    };

    template <Access kind>
    void touch_device(uintptr_t at, uintptr_t bytes, uint32_t thread, const void* place) {
        uint32_t owner = owners_[(at - device_base_) / PAGE];
        const Buffer& buffer = buffers_[owner];
        if (at < buffer.start || at + bytes > buffer.end)
            return out_of_bounds(at, bytes, kind, thread, place);
        visit<kind>(device_cells_ + (at - device_base_), bytes,
                    {at, thread | phases_[thread / LANES], place, true, buffer.written});
    }
    template <Access kind>
    void touch_shared(uintptr_t at, uintptr_t bytes, uint32_t thread, const void* place) {
        if (at < shared_start_ || at + bytes > shared_end_)
            return out_of_bounds(at, bytes, kind, thread, place);
        visit<kind>(shared_cells_ + (at - shared_base_), bytes,
                    {at, thread | phases_[thread / LANES], place, false, false});
    }

    /// All cells of an access, a word at a time where its bytes share their history.
    template <Access kind>
    void visit(Cell* cell, uintptr_t bytes, Now now) {
        while (bytes) {
            uintptr_t in_word = now.at % 4, part = bytes < 4 - in_word ? bytes : 4 - in_word;
            Cell* word = cell - in_word;
            bool split = word->write.who & Record::SPLIT;
            if (part == 4 && !split) {
                check<kind>(*word, now);
            } else if (part == 4 && kind != Access::READ) {
                for (int i = 0; i < 4; i++)
                    check<kind>(word[i], now);
                word->write.who &= ~Record::SPLIT;
            } else {
                if (!split) {
                    word[1] = word[2] = word[3] = word[0];
                    word->write.who |= Record::SPLIT;
                }
                for (uintptr_t i = 0; i < part; i++)
                    check<kind>(cell[i], now);
            }
            cell += part;
            now.at += part;
            bytes -= part;
        }
    }

    template <Access kind>
    void check(Cell& cell, const Now& now) {
        Record &w = cell.write, &r = cell.read;
        bool known = w.epoch >= (now.device ? 1 : block_start_);
        if (kind == Access::READ || kind == Access::ATOMIC) {
            if (!known && !now.written)
                uninitialised(now);
        }
        if (known) {
            if (w.who & Record::PENDING && !(kind == Access::ASYNC_DONE && !((w.who ^ now.who) & Record::THREAD)))
                too_early(w, kind, now);
            else if (!(kind == Access::ATOMIC && w.who & Record::IS_ATOMIC) && concurrent(w, now))
                race(w, true, kind, now);
        }
        if (kind == Access::READ) {
            merge(r, now, 0);
            return;
        }
        if (kind != Access::ASYNC_DONE && r.epoch && concurrent(r, now)) // then it was seen as too early
            race(r, false, kind, now);
        r.epoch = 0;
        uint32_t split = w.who & Record::SPLIT;
        if (kind == Access::ATOMIC && known && w.who & Record::IS_ATOMIC)
            merge(w, now, Record::IS_ATOMIC);
        else
            w = {epoch_,
                 now.who | (kind == Access::ATOMIC        ? Record::IS_ATOMIC
                            : kind == Access::ASYNC_WRITE ? Record::PENDING
                                                          : 0),
                 uint32_t(uintptr_t(now.place))};
        w.who |= split;
    }

    bool concurrent(const Record& past, const Now& now) const {
        if (past.epoch == epoch_) {
            if (past.who & (Record::SEVERAL_WARPS | Record::OTHER_BLOCKS))
                return true;
            uint32_t difference = past.who ^ now.who;
            if (difference & Record::WARP)
                return true;
            if (difference & Record::PHASE)
                return false;
            return difference & Record::THREAD || past.who & Record::SEVERAL_LANES;
        }
        return now.device && in_other_block(past);
    }
    /// Whether some of these accesses were made by an earlier block of this launch.
    bool in_other_block(const Record& past) const {
        return past.epoch >= launch_start_ && (past.epoch < block_start_ || past.who & Record::OTHER_BLOCKS);
    }

    /// Adds the current access to a set. Those that are ordered before it can be forgotten: what is concurrent with
    /// them and comes later is concurrent with this one as well, or is their own thread's.
    void merge(Record& set, const Now& now, uint32_t marks) {
        if (set.epoch == epoch_) {
            uint32_t difference = set.who ^ now.who;
            if (difference & Record::WARP) {
                set.who |= Record::SEVERAL_WARPS;
                return;
            }
            if (!(difference & Record::PHASE)) {
                if (difference & Record::THREAD)
                    set.who |= Record::SEVERAL_LANES;
                return;
            }
            marks |= set.who & (Record::SEVERAL_WARPS | Record::OTHER_BLOCKS);
        } else if (now.device && in_other_block(set)) {
            marks |= Record::OTHER_BLOCKS;
        }
        set = {epoch_, now.who | marks, uint32_t(uintptr_t(now.place))};
    }

    // What is wrong; each pair of places is reported once.
    void out_of_bounds(uintptr_t at, uintptr_t bytes, Access kind, uint32_t thread, const void* place);
    void uninitialised(const Now& now);
    void too_early(const Record& copy, Access kind, const Now& now);
    void race(const Record& past, bool wrote, Access kind, const Now& now);
    void wild(uintptr_t at, Access kind, const void* place);
    bool is_new(const char* what, uint32_t place, uint32_t other);
    const void* whole_place(uint32_t lower_half) const;
    std::string where(uintptr_t at) const;
    std::string who(const Record& past) const;

    uintptr_t device_base_ = 0, device_size_ = 0, shared_base_ = 0, shared_size_ = 0;
    uintptr_t shared_start_ = 0, shared_end_ = 0; // of the current kernel's
    Cell *device_cells_ = nullptr, *shared_cells_ = nullptr;
    uint32_t* owners_ = nullptr; // per page of device memory: its buffer, 0 for none
    std::vector<Buffer> buffers_{Buffer{}};
    uint32_t epoch_ = BY_HOST, launch_start_ = BY_HOST + 1, block_start_ = BY_HOST + 1;
    uint32_t phases_[MOST_WARPS] = {};
    std::vector<BlockStart> block_starts_;
    const Kernel* kernel_ = nullptr;
    Report* report_ = nullptr;
    std::set<std::tuple<const char*, uint32_t, uint32_t>> reported_;
};

extern Shadow shadow;

} // namespace emulator
