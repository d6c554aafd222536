#include "shadow.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace emulator {

Shadow shadow;

/// The engine learns of the checker when the library is loaded.
static const bool installed = (checker = &shadow, true);

template <class T>
static T* reserve(uintptr_t count) {
    void* memory =
        mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("emulator: no addresses for the checker");
        abort();
    }
    return static_cast<T*>(memory);
}

// ---------------------------------------------------------------- memory

void Shadow::device_range(const void* base, long bytes) {
    device_base_ = uintptr_t(base);
    device_size_ = uintptr_t(bytes);
    device_cells_ = reserve<Cell>(device_size_);
    owners_ = reserve<uint32_t>(device_size_ / PAGE);
}

void Shadow::shared_range(const void* base, long bytes) {
    shared_base_ = uintptr_t(base);
    shared_size_ = uintptr_t(bytes);
    shared_cells_ = reserve<Cell>(shared_size_);
}

void Shadow::allocated(long buffer, long bytes) {
    size_t entry = 1;
    while (entry < buffers_.size() && buffers_[entry].end)
        entry++;
    if (entry == buffers_.size())
        buffers_.push_back({});
    buffers_[entry] = {uintptr_t(buffer), uintptr_t(buffer + bytes), false};
    uintptr_t offset = uintptr_t(buffer) - device_base_;
    for (uintptr_t page = offset / PAGE; page <= (offset + uintptr_t(bytes) - 1) / PAGE; page++)
        owners_[page] = uint32_t(entry);
}

void Shadow::released(long buffer, long bytes) {
    uintptr_t offset = uintptr_t(buffer) - device_base_, pages = (uintptr_t(bytes) + PAGE - 1) / PAGE;
    buffers_[owners_[offset / PAGE]] = {};
    memset(owners_ + offset / PAGE, 0, pages * sizeof(uint32_t));
    madvise(device_cells_ + offset, pages * PAGE * sizeof(Cell), MADV_DONTNEED); // buffers start at a page, so do these
}

void Shadow::written_by_host(long address, long bytes) {
    Buffer& buffer = buffers_[owners_[(uintptr_t(address) - device_base_) / PAGE]];
    if (buffer.written)
        return;
    if (uintptr_t(address) == buffer.start && uintptr_t(address + bytes) == buffer.end) {
        buffer.written = true;
        return;
    }
    Cell* cells = device_cells_ + (uintptr_t(address) - device_base_);
    for (long i = 0; i < bytes; i++) {
        Cell* word = cells + i - (address + i) % 4;
        if (!(word->write.who & Record::SPLIT)) {
            word[1] = word[2] = word[3] = word[0];
            word->write.who |= Record::SPLIT;
        }
        if (!cells[i].write.epoch)
            cells[i].write.epoch = BY_HOST;
    }
}

void Shadow::all_written() {
    for (Buffer& buffer : buffers_)
        buffer.written = true;
}

// ---------------------------------------------------------------- time

void Shadow::start_over() {
    madvise(device_cells_, device_size_ * sizeof(Cell), MADV_DONTNEED);
    madvise(shared_cells_, shared_size_ * sizeof(Cell), MADV_DONTNEED);
    all_written();
    epoch_ = BY_HOST;
}

void Shadow::begin_launch(const Kernel& kernel, Report& report) {
    if (epoch_ > 1u << 31)
        start_over();
    kernel_ = &kernel;
    report_ = &report;
    launch_start_ = ++epoch_;
    shared_end_ = shared_start_ + uintptr_t(kernel.shared_bytes);
}

void Shadow::end_launch() {
    block_starts_.clear();
    reported_.clear();
}

void Shadow::begin_block() {
    block_start_ = ++epoch_;
    block_starts_.push_back({epoch_, here.block_x, here.block_y, here.block_z});
    shared_start_ = uintptr_t(here.shared);
    shared_end_ = shared_start_ + uintptr_t(kernel_->shared_bytes);
    memset(phases_, 0, sizeof phases_);
}

void Shadow::block_synced() {
    epoch_++;
    memset(phases_, 0, sizeof phases_);
}

void Shadow::access(const void* at, long bytes, Access kind, int thread, const void* place) {
    auto go = [&](auto constant) {
        constexpr Access KIND = decltype(constant)::value;
        auto address = uintptr_t(at);
        if (address - device_base_ < device_size_)
            touch_device<KIND>(address, uintptr_t(bytes), uint32_t(thread), place);
        else if (address - shared_base_ < shared_size_)
            touch_shared<KIND>(address, uintptr_t(bytes), uint32_t(thread), place);
        else
            wild(address, KIND, place);
    };
    switch (kind) {
    case Access::READ:
        return go(std::integral_constant<Access, Access::READ>());
    case Access::WRITE:
        return go(std::integral_constant<Access, Access::WRITE>());
    case Access::ATOMIC:
        return go(std::integral_constant<Access, Access::ATOMIC>());
    case Access::ASYNC_WRITE:
        return go(std::integral_constant<Access, Access::ASYNC_WRITE>());
    case Access::ASYNC_DONE:
        return go(std::integral_constant<Access, Access::ASYNC_DONE>());
    }
}

// ---------------------------------------------------------------- findings

static const char* verb(Access kind) {
    static const char* const verbs[] = {"reads", "writes", "changes by an atomic operation", "copies asynchronously to",
                                        "copies asynchronously to"};
    return verbs[int(kind)];
}

bool Shadow::is_new(const char* what, uint32_t place, uint32_t other) {
    return reported_.size() < Report::MAXIMUM && reported_.insert({what, place, other}).second;
}

/// Code of kernels lies close together: the upper half is that of the kernel, or one more or less.
const void* Shadow::whole_place(uint32_t lower_half) const {
    auto run = uintptr_t(kernel_->run);
    return reinterpret_cast<const void*>(run + uintptr_t(int32_t(lower_half - uint32_t(run))));
}

std::string Shadow::where(uintptr_t at) const {
    if (at - shared_base_ < shared_size_)
        return format("shared memory [%ld]", long(at - shared_start_));
    for (const Buffer& buffer : buffers_)
        if (at + PAGE >= buffer.start && at < buffer.end + PAGE)
            return format("byte %ld of a buffer of %ld (0x%lx)", long(at - buffer.start),
                          long(buffer.end - buffer.start), long(buffer.start));
    return format("device memory outside of buffers, 0x%lx,", long(at));
}

/// "block 1,0,0 thread 5" of an earlier access; without the block where it is the current one.
std::string Shadow::who(const Record& past) const {
    std::string thread = format("thread %u", past.who & Record::THREAD);
    if (past.epoch >= block_start_)
        return past.who & Record::OTHER_BLOCKS ? "another block" : thread;
    BlockStart block = block_starts_.front();
    for (const BlockStart& next : block_starts_)
        if (next.epoch <= past.epoch)
            block = next;
    return format("block %d,%d,%d ", block.x, block.y, block.z) + thread;
}

void Shadow::out_of_bounds(uintptr_t at, uintptr_t bytes, Access kind, uint32_t thread, const void* place) {
    if (is_new("out of bounds", uint32_t(uintptr_t(place)), 0))
        report_->add(Finding("out of bounds")
                         .say(format("%s %s %lu bytes at %s", current->who(int(thread)).c_str(), verb(kind),
                                     long(bytes), where(at).c_str()),
                              place));
}

void Shadow::uninitialised(const Now& now) {
    if (is_new("uninitialised", uint32_t(uintptr_t(now.place)), 0))
        report_->add(Finding("uninitialised")
                         .say(format("%s reads %s, which nobody has written,",
                                     current->who(int(now.who & Record::THREAD)).c_str(), where(now.at).c_str()),
                              now.place));
}

void Shadow::too_early(const Record& copy, Access kind, const Now& now) {
    if (is_new("too early", uint32_t(uintptr_t(now.place)), copy.place))
        report_->add(
            Finding("asynchronous copy under way")
                .say(format("%s %s %s", current->who(int(now.who & Record::THREAD)).c_str(), verb(kind),
                            where(now.at).c_str()),
                     now.place)
                .say(format(", before %s has waited for its copy", who(copy).c_str()), whole_place(copy.place)));
}

void Shadow::race(const Record& past, bool wrote, Access kind, const Now& now) {
    if (!is_new(wrote ? "wrote" : "read", uint32_t(uintptr_t(now.place)), past.place))
        return;
    bool blocks = now.device && in_other_block(past);
    const char* did = !wrote ? "read" : past.who & Record::IS_ATOMIC ? "changed" : "wrote";
    Finding finding(blocks ? "conflict between blocks" : "race");
    finding.say(
        format("%s %s %s", current->who(int(now.who & Record::THREAD)).c_str(), verb(kind), where(now.at).c_str()),
        now.place);
    finding.say(format(", which %s %s", who(past).c_str(), did), whole_place(past.place));
    if (!blocks)
        finding.say((past.who ^ now.who) & Record::WARP ? ", no sync_block in between" : ", no sync_warp in between");
    report_->add(std::move(finding));
}

void Shadow::wild(uintptr_t at, Access kind, const void* place) {
    if (!report_ || !current)
        return;
    current->fail(
        Finding("out of bounds")
            .say(format("%s %s address 0x%lx", current->who(here.thread).c_str(), verb(kind), long(at)), place));
}

void Shadow::misaligned(uintptr_t at, const void* place) {
    current->fail(Finding("misaligned")
                      .say(format("%s accesses %s, an address unfit for the type,", current->who(here.thread).c_str(),
                                  where(at).c_str()),
                           place));
}

void Shadow::bad_index(long index, const void* place) {
    if (is_new("index", uint32_t(uintptr_t(place)), 0))
        report_->add(Finding("out of bounds")
                         .say(format("%s uses index %ld of an array with fewer elements",
                                     current->who(here.thread).c_str(), index),
                              place));
}

} // namespace emulator
