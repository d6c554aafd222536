// Faults of kernels, such as a wild address: a finding instead of the end of the process.
#pragma once

#include <signal.h>

namespace emulator {

/// While one lives, faults of threads that run blocks are findings; those of others go where they would have gone.
class FaultHandler {
public:
    FaultHandler();
    ~FaultHandler();
};

/// A stack for the handler on the calling thread, because that of a fiber may be what overflowed.
class HandlerStack {
public:
    HandlerStack();
    ~HandlerStack();

private:
    static constexpr int BYTES = 128 * 1024;

    stack_t before_;
    char* memory_;
};

} // namespace emulator
