// The emulator of a card: device memory, and kernels by name, run thread by thread. What the Java bindings call.
//
// Device memory lies in one range of addresses of this process, with room around every buffer that belongs to none.
// Functions that can fail return 0 where all went well, else the number of findings, which findings() then describes.
// Launches come one after the other, whatever thread asks for them, and are over when launch() returns.
#pragma once

#ifndef EMULATOR_API
#define EMULATOR_API __attribute__((visibility("default")))
#endif

namespace emulator {

/// A buffer of at least one byte, filled with NaN patterns, above 1 GiB zeros that cost no memory until they are
/// touched; its address is a multiple of 256. 0: out of memory.
EMULATOR_API long allocate(long bytes);
/// Returns a buffer; anything but the address of a live one is a finding.
EMULATOR_API int release(long address);
EMULATOR_API int copy_to_device(long to, const void* from, long bytes);
EMULATOR_API int copy_to_host(void* to, long from, long bytes);
EMULATOR_API int copy_on_device(long to, long from, long bytes);
EMULATOR_API int fill(long to, int byte, long bytes);
/// Bytes in live buffers.
EMULATOR_API long allocated_bytes();

/// Makes the kernels in another library known; the emulator's own are known from the start.
EMULATOR_API int load(const char* library);
/// The entry points of an architecture (75 or 80), by number in alphabetical order.
EMULATOR_API int kernels(int architecture);
EMULATOR_API const char* kernel_name(int architecture, int number);
/// Threads of a block, bytes of shared memory, and size of the parameter struct; -1 where there is no such kernel.
EMULATOR_API int kernel_threads(const char* name, int architecture);
EMULATOR_API int kernel_shared_bytes(const char* name, int architecture);
EMULATOR_API int kernel_parameter_bytes(const char* name, int architecture);

/// Runs a grid of blocks. Seed 0 runs the threads of a block in order, others in an order drawn from the seed, the same
/// each time. With `checking`, every access to memory is checked, by one thread of the host.
EMULATOR_API int launch(const char* name, int architecture, int grid_x, int grid_y, int grid_z, const void* parameters,
                        long parameter_bytes, long seed, bool checking);

/// What the last call that failed on this thread found: one line per finding.
EMULATOR_API const char* findings();

} // namespace emulator
