// What the engine offers to kernels that the host's compiler has compiled; emulated_device.h gives it the dialect's
// names. A function here that says "meets" returns when all lanes of the warp (or threads of the block) have called it.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>

#ifndef EMULATOR_API
#define EMULATOR_API __attribute__((visibility("default")))
#endif

namespace emulator {

/// Where the running thread is. All threads of a block run on one thread of the host, so that the address of this
/// variable never changes under a kernel.
struct Here {
    int thread, block_x, block_y, block_z, grid_x;
    void* shared;
};
extern EMULATOR_API __thread Here here __attribute__((tls_model("initial-exec")));

/// An entry point; constructing one makes it known to the engine.
struct Kernel {
    const char* name;
    int architecture; // 75 or 80
    bool checked;     // compiled with calls to the checker
    int threads;
    long shared_bytes, parameter_bytes;
    void (*run)(const void* parameters);

    EMULATOR_API Kernel(const char* name, int architecture, bool checked, int threads, long shared_bytes,
                        long parameter_bytes, void (*run)(const void*));
};

EMULATOR_API void sync_block();
EMULATOR_API void sync_warp();

/// Meets; the bits that lane `from` brought.
EMULATOR_API uint32_t exchange(uint32_t bits, int from);
/// Meets; bit i: lane i's predicate.
EMULATOR_API uint32_t ballot(bool predicate);

EMULATOR_API uint32_t atomic_add(uint32_t* at, uint32_t v);
EMULATOR_API uint32_t atomic_or(uint32_t* at, uint32_t v);

/// 16 bytes at once, or, when `queued`, not before the wait; until then the target is poisoned.
EMULATOR_API void copy_async(void* to, const void* from, bool valid, bool queued);
EMULATOR_API void commit_async();
EMULATOR_API void wait_async(int groups);

/// Meets; ldmatrix of `count` 8x8 matrices.
EMULATOR_API void load_matrix(uint32_t* r, const void* row, int count, bool transposed);

enum class Element { HALF, BFLOAT };
/// Meets; D += A B for mt x nt tiles of mma.m16n8kK, fragments as PTX defines them.
EMULATOR_API void mma_tile(Element type, int k, int mt, int nt, float* d, const uint32_t* a, const uint32_t* b);

} // namespace emulator
