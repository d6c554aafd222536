// CPU kernels for what oneDNN does not have: the functions that the Java bindings call.
//
// All of them run on the calling thread alone, allocate nothing, and expect arguments that Java has checked.
// Tensors are dense and row-major unless a stride is named; sizes count elements. `type` is the element type of the
// operands marked `void*`. Norms, softmax and every sum are computed in fp32.
#pragma once

#define JMATTE_API __attribute__((visibility("default")))

namespace jmatte {

enum Type { FP32 = 0, BF16 = 1 };

// Instruction sets in ascending order. AMX is used by oneDNN alone: our own kernels then run as AVX512_BF16.
enum Isa { NONE = 0, AVX2 = 1, AVX512 = 2, AVX512_BF16 = 3, AMX = 4 };

/// The best instruction set that this processor and operating system offer.
JMATTE_API int detect_isa();

/// Chooses the kernels from now on, for the whole process; at most detect_isa().
JMATTE_API void use_isa(int isa);

/// Keeps oneDNN's parallel regions that start on the calling thread to that one thread.
JMATTE_API void use_one_thread();

/// Asks for huge pages behind a block of memory that is about to be filled: page faults would take a tenth of the time.
JMATTE_API void use_huge_pages(void* block, long bytes);

namespace avx2 {
#include "kernels.inc"
}
namespace avx512 {
#include "kernels.inc"
}
namespace avx512_bf16 {
#include "kernels.inc"
}

extern JMATTE_API int active_isa;

// One public function per kernel, which calls that of the active instruction set.
#define JMATTE_DISPATCH(kernel)                                                                                        \
    template <class... Arguments>                                                                                      \
    auto kernel(Arguments... arguments) {                                                                              \
        return active_isa >= AVX512_BF16 ? avx512_bf16::kernel(arguments...)                                           \
               : active_isa == AVX512    ? avx512::kernel(arguments...)                                                \
                                         : avx2::kernel(arguments...);                                                    \
    }

JMATTE_DISPATCH(layer_norm)
JMATTE_DISPATCH(convert_rows)
JMATTE_DISPATCH(gather_rows)
JMATTE_DISPATCH(add_rows)
JMATTE_DISPATCH(scatter_rows)
JMATTE_DISPATCH(add_position)
JMATTE_DISPATCH(split_halves)
JMATTE_DISPATCH(router_margins)
JMATTE_DISPATCH(keep_tokens)
JMATTE_DISPATCH(compact_tokens)
JMATTE_DISPATCH(depthwise5x5_gelu)
JMATTE_DISPATCH(merge_tokens)
JMATTE_DISPATCH(unfold_pixels)
JMATTE_DISPATCH(unfold3x3)
JMATTE_DISPATCH(unfold2x2)
JMATTE_DISPATCH(copy_clamped)
JMATTE_DISPATCH(fuse_upsampled)
JMATTE_DISPATCH(matting_head)
JMATTE_DISPATCH(input_planes)
JMATTE_DISPATCH(depthwise7x7_norm)
JMATTE_DISPATCH(sum_rows)
JMATTE_DISPATCH(scale_rows)
JMATTE_DISPATCH(add_activated)
JMATTE_DISPATCH(add_resized)
JMATTE_DISPATCH(alpha_convolution)
JMATTE_DISPATCH(window_attention)
JMATTE_DISPATCH(window_attention_scratch)
JMATTE_DISPATCH(attention_pack)
JMATTE_DISPATCH(attention_operands)
JMATTE_DISPATCH(attention)
JMATTE_DISPATCH(attention_queries)
JMATTE_DISPATCH(attention_scratch)
JMATTE_DISPATCH(estimate_foreground)
JMATTE_DISPATCH(estimate_foreground_scratch)

#undef JMATTE_DISPATCH

} // namespace jmatte
