// Ranges that a profiler shows beside kernels and copies (NVTX version 3). What the Java bindings call.
//
// Without a profiler, which NVTX finds by itself (NVTX_INJECTION64_PATH), every call returns at once.
#pragma once

#ifndef RANGES_API
#define RANGES_API __attribute__((visibility("default")))
#endif

namespace ranges {

/// Whether the library was built with NVTX's headers; without them the other functions do nothing.
RANGES_API bool available();
/// Begins a range on this thread, inside those that are open there, in the domain "jmatte".
RANGES_API void push(const char* name);
/// Ends the innermost one.
RANGES_API void pop();

} // namespace ranges
