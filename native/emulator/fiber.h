// Fibers: stacks, and the switch from one to another within a thread of the host.
#pragma once

#include <cstddef>
#include <vector>

/// Leaves the calling fiber, whose stack pointer goes to *from, for the one that left `to`.
extern "C" void emulator_switch_fiber(void** from, void* to);

namespace emulator {

/// Stacks with a guard page below each; all are kept for the next block.
class Stacks {
public:
    /// The upper end of a free stack.
    char* take();
    void give(char* stack) { free_.push_back(stack); }
    /// All stacks are free again.
    void reset() { free_ = all_; }

private:
    std::vector<char*> all_, free_;
};

/// What emulator_switch_fiber() needs as `to` in order to enter `run`, which never returns, on a stack.
void* prepare_fiber(char* stack, void (*run)());

} // namespace emulator
