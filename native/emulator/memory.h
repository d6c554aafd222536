// Device memory: one range of addresses of this process, handed out in pages with free pages around every buffer.
#pragma once

#include <map>

#include "report.h"

namespace emulator {

class DeviceMemory {
public:
    static constexpr long PAGE = 4096;

    DeviceMemory();

    char* base() const { return base_; }
    long size() const { return size_; }
    /// 0 if nothing is left.
    long allocate(long bytes);
    /// Bytes of the buffer that was returned, or -1 if none starts there.
    long release(long address);
    /// Whether all bytes lie in one live buffer.
    bool contains(long address, long bytes) const;
    long allocated() const { return allocated_; }
    /// The live buffers, by address, with their sizes.
    const std::map<long, long>& buffers() const { return buffers_; }
    /// "[8, 12) of a buffer of 16 bytes": where an address is, for findings.
    std::string describe(long address, long bytes) const;
    /// Reports buffers that have been written next to, and forgets it.
    void check_guards(const char* kernel, Report& report);

private:
    static long pages_of(long bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

    char* base_;
    long size_, allocated_ = 0;
    std::map<long, long> buffers_; // address, bytes
    std::map<long, long> free_;    // offset, bytes; neighbours are merged
};

} // namespace emulator
