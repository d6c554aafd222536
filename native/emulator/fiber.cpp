#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

// Registers that a function has to preserve by the System V ABI; the control words of the floating-point units are the
// same in all fibers.
asm(R"(
    .text
    .globl emulator_switch_fiber
    .hidden emulator_switch_fiber
    .type emulator_switch_fiber, @function
emulator_switch_fiber:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size emulator_switch_fiber, . - emulator_switch_fiber
)");

namespace emulator {

static constexpr size_t PAGE = 4096, STACK = 256 * 1024, SAVED_REGISTERS = 6;

char* Stacks::take() {
    if (free_.empty()) {
        void* memory = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) != 0) {
            perror("emulator: no memory for a stack");
            abort();
        }
        // The lanes of a warp are at the same depth most of the time: spread that depth over the sets of the cache.
        size_t shift = all_.size() * 832 % PAGE;
        all_.push_back(static_cast<char*>(memory) + STACK - shift);
        return all_.back();
    }
    char* stack = free_.back();
    free_.pop_back();
    return stack;
}

void* prepare_fiber(char* stack, void (*run)()) {
    // Above the saved registers lies where the switch returns to, above that a return address that nobody uses, which
    // leaves the stack aligned as after a call.
    auto top = reinterpret_cast<uintptr_t*>(stack) - 2;
    top[1] = 0;
    top[0] = reinterpret_cast<uintptr_t>(run);
    for (size_t i = 1; i <= SAVED_REGISTERS; i++)
        *(top - i) = 0;
    return top - SAVED_REGISTERS;
}

} // namespace emulator
