// What the engine tells the checking library, which is installed when that library is loaded, and asks of it.
#pragma once

#include "report.h"
#include "twins.h"

namespace emulator {

/// Writes by asynchronous copies count twice: at their issue, and when they have been waited for.
enum class Access { READ, WRITE, ATOMIC, ASYNC_WRITE, ASYNC_DONE };

class Checker {
public:
    virtual ~Checker() = default;

    /// Host side: the ranges of addresses that are watched, and what happens to buffers in between launches.
    virtual void device_range(const void* base, long bytes) = 0;
    virtual void shared_range(const void* base, long bytes) = 0;
    virtual void allocated(long buffer, long bytes) = 0;
    virtual void released(long buffer, long bytes) = 0;
    virtual void written_by_host(long address, long bytes) = 0;
    /// Whatever live buffers hold was written by a launch that nobody watched.
    virtual void all_written() = 0;

    virtual void begin_launch(const Kernel& kernel, Report& report) = 0;
    virtual void end_launch() = 0;
    virtual void begin_block() = 0;
    /// All threads of the block have met; all lanes of a warp have met in sync_warp().
    virtual void block_synced() = 0;
    virtual void warp_synced(int warp) = 0;

    /// An access by a twin for a thread of the block, called from `place`.
    virtual void access(const void* at, long bytes, Access kind, int thread, const void* place) = 0;
};

/// Null until a checking library is loaded.
extern EMULATOR_API Checker* checker;

} // namespace emulator
