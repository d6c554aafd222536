#include "memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulator {

static constexpr int POISON = 0xff;
static constexpr long GUARD = 256; // bytes on either side of a buffer that are compared after each launch
/// Larger buffers are not filled: they read as zeros and cost memory only where they are touched, page by page, so that
/// indices beyond 2^31 can be tested.
static constexpr long MOST_FILLED = 1L << 30;

DeviceMemory::DeviceMemory() {
    // Addresses only; memory follows when they are touched.
    for (size_ = 1L << 36;; size_ /= 2) {
        void* memory =
            mmap(nullptr, size_t(size_), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory != MAP_FAILED) {
            base_ = static_cast<char*>(memory);
            break;
        }
        if (size_ <= PAGE) {
            perror("emulator: no addresses for device memory");
            abort();
        }
    }
    free_[0] = size_;
}

long DeviceMemory::allocate(long bytes) {
    if (bytes <= 0 || bytes > size_)
        return 0;
    long needed = pages_of(bytes) + 2 * PAGE;
    for (auto range = free_.begin(); range != free_.end(); ++range) {
        auto [offset, available] = *range;
        if (available < needed)
            continue;
        free_.erase(range);
        if (available > needed)
            free_[offset + needed] = available - needed;
        char* buffer = base_ + offset + PAGE;
        if (bytes > MOST_FILLED)
            madvise(buffer - PAGE, size_t(needed), MADV_NOHUGEPAGE);
        memset(buffer - GUARD, POISON, size_t(GUARD + (bytes > MOST_FILLED ? 0 : bytes)));
        memset(buffer + bytes, POISON, GUARD);
        buffers_[long(buffer)] = bytes;
        allocated_ += bytes;
        return long(buffer);
    }
    return 0;
}

long DeviceMemory::release(long address) {
    auto buffer = buffers_.find(address);
    if (buffer == buffers_.end())
        return -1;
    long bytes = buffer->second, offset = address - PAGE - long(base_), length = pages_of(bytes) + 2 * PAGE;
    buffers_.erase(buffer);
    allocated_ -= bytes;
    madvise(base_ + offset, size_t(length), MADV_DONTNEED);
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && next->first == offset + length) {
        length += next->second;
        next = free_.erase(next);
    }
    if (next != free_.begin()) {
        auto previous = std::prev(next);
        if (previous->first + previous->second == offset) {
            previous->second += length;
            return bytes;
        }
    }
    free_[offset] = length;
    return bytes;
}

bool DeviceMemory::contains(long address, long bytes) const {
    auto next = buffers_.upper_bound(address);
    if (next == buffers_.begin() || bytes < 0)
        return false;
    auto [start, size] = *std::prev(next);
    return address - start <= size - bytes;
}

std::string DeviceMemory::describe(long address, long bytes) const {
    auto after = buffers_.upper_bound(address);
    if (after != buffers_.begin()) {
        auto [start, size] = *std::prev(after);
        if (address < start + pages_of(size) + PAGE)
            return format("bytes %ld to %ld of a buffer of %ld", address - start, address - start + bytes - 1, size);
    }
    if (after != buffers_.end() && address >= after->first - PAGE)
        return format("%ld bytes before a buffer of %ld", after->first - address, after->second);
    return format("address 0x%lx, in no buffer", address);
}

void DeviceMemory::check_guards(const char* kernel, Report& report) {
    struct Guard {
        char bytes[GUARD];
        Guard() { memset(bytes, POISON, GUARD); }
    };
    static const Guard expected;
    for (auto [address, bytes] : buffers_) {
        auto start = reinterpret_cast<char*>(address), end = start + bytes;
        for (bool before : {true, false}) {
            char* guard = before ? start - GUARD : end;
            if (memcmp(guard, expected.bytes, GUARD) == 0)
                continue;
            memset(guard, POISON, GUARD);
            report.add(Finding("out of bounds")
                           .say(format("%s wrote %s a buffer of %ld bytes", kernel,
                                       before ? "before" : "past the end of", bytes)));
        }
    }
}

} // namespace emulator
