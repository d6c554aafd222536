// Chooses the instruction set at run time.
#include "jmatte_cpu.h"

#include <cpuid.h>
#include <omp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

namespace jmatte {

int active_isa = detect_isa();

static bool has_amx_bf16() {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return false;
    constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
    return (d & amx_bf16) && (d & amx_tile);
}

int detect_isa() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return NONE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return AVX2;
    if (!__builtin_cpu_supports("avx512bf16"))
        return AVX512;
    return has_amx_bf16() ? AMX : AVX512_BF16;
}

void use_isa(int isa) { active_isa = isa; }

void use_one_thread() { omp_set_num_threads(1); }

void use_huge_pages(void* block, long bytes) {
    const uintptr_t page = sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)block + page - 1) / page * page, end = ((uintptr_t)block + bytes) / page * page;
    if (end > first)
        madvise((void*)first, end - first, MADV_HUGEPAGE); // a system without them changes nothing
}

} // namespace jmatte
