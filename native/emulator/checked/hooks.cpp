// The functions that GCC calls before every access to memory under -fsanitize=thread, and where one is misaligned or an
// index out of bounds under -fsanitize=alignment,bounds. Kernels are compiled so, and this library takes the place of
// the sanitizers'.
#include "shadow.h"

using emulator::Access;
using emulator::shadow;

#define HOOK extern "C" __attribute__((visibility("default"))) void
#define PLACE __builtin_return_address(0)

#define ACCESS_HOOKS(bytes)                                                                                            \
    HOOK __tsan_read##bytes(void* at) { shadow.touch<Access::READ>(uintptr_t(at), bytes, PLACE); }                     \
    HOOK __tsan_write##bytes(void* at) { shadow.touch<Access::WRITE>(uintptr_t(at), bytes, PLACE); }                   \
    HOOK __tsan_unaligned_read##bytes(void* at) { shadow.touch<Access::READ>(uintptr_t(at), bytes, PLACE); }           \
    HOOK __tsan_unaligned_write##bytes(void* at) { shadow.touch<Access::WRITE>(uintptr_t(at), bytes, PLACE); }

ACCESS_HOOKS(1)
ACCESS_HOOKS(2)
ACCESS_HOOKS(4)
ACCESS_HOOKS(8)
ACCESS_HOOKS(16)

HOOK __tsan_read_range(void* at, uintptr_t bytes) { shadow.touch<Access::READ>(uintptr_t(at), bytes, PLACE); }
HOOK __tsan_write_range(void* at, uintptr_t bytes) { shadow.touch<Access::WRITE>(uintptr_t(at), bytes, PLACE); }

HOOK __tsan_init() {}
HOOK __tsan_func_entry(void*) {}
HOOK __tsan_func_exit() {}

// The first argument describes the place in the source, which the return address does as well.
HOOK __ubsan_handle_type_mismatch_v1(void*, uintptr_t at) { shadow.misaligned(at, PLACE); }
HOOK __ubsan_handle_out_of_bounds(void*, uintptr_t index) { shadow.bad_index(long(index), PLACE); }
