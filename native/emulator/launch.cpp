// Entry points by name, launches on all cores, and the functions that Java calls.
#include "jmatte_emulator.h"

#include <dlfcn.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <map>
#include <numeric>
#include <thread>

#include "block.h"
#include "crash.h"
#include "memory.h"

namespace emulator {
namespace {

// ---------------------------------------------------------------- the blocks of a grid on all cores

/// A launch under way. Threads take blocks one after the other.
struct Job {
    Task task;
    long blocks, first, step; // the i-th block to run is (first + i step) mod blocks
    std::atomic<long> next{0};
    std::atomic<bool> failed{false};

    void work(Block& block) {
        HandlerStack stack;
        for (long i; !failed && (i = next++) < blocks;)
            if (!block.run(task, (first + i * step) % blocks))
                failed = true;
    }
};

/// Threads that help the calling one. They live as long as the process.
class Helpers {
public:
    Helpers() {
        // Every stack takes two entries of the process's table of mappings, which is limited to 65,530 by default.
        constexpr unsigned most = 15;
        unsigned cores = std::thread::hardware_concurrency();
        unsigned count = cores > 1 ? std::min(cores - 1, most) : 0;
        for (unsigned i = 0; i < count; i++)
            std::thread([this] { run(); }).detach();
    }

    void work(Job& job, Block& block) {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            job_ = &job;
            launches_++;
        }
        wake_.notify_all();
        job.work(block);
        std::unique_lock<std::mutex> lock(mutex_);
        job_ = nullptr; // who comes late finds nothing
        idle_.wait(lock, [this] { return busy_ == 0; });
    }

private:
    void run() {
        Block block;
        std::unique_lock<std::mutex> lock(mutex_);
        for (long seen = 0;;) {
            wake_.wait(lock, [&] { return job_ && launches_ != seen; });
            seen = launches_;
            Job* job = job_;
            busy_++;
            lock.unlock();
            job->work(block);
            lock.lock();
            if (--busy_ == 0)
                idle_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_, idle_;
    Job* job_ = nullptr;
    long launches_ = 0;
    int busy_ = 0;
};

// ---------------------------------------------------------------- state

/// Objects that live as long as the process: helpers may still run while static objects are destroyed.
template <class T>
T& forever() {
    static T& object = *new T;
    return object;
}

using Kernels = std::map<std::string, const Kernel*>;

struct State {
    std::mutex mutex;      // of all below
    Kernels kernels[2][2]; // of sm_75 and sm_80, without and with checks
    DeviceMemory memory;
    Block block; // for the calling thread
    Checker* known_checker = nullptr;
};

State& state() { return forever<State>(); }

Kernels& kernels_of(int architecture, bool checked) { return state().kernels[architecture >= 80][checked]; }

const Kernel* find(const char* name, int architecture, bool checked) {
    if (architecture != 75 && architecture != 80)
        return nullptr;
    Kernels& kernels = kernels_of(architecture, checked);
    auto kernel = kernels.find(name);
    return kernel == kernels.end() ? nullptr : kernel->second;
}

std::string& last_findings() {
    static thread_local std::string text;
    return text;
}

/// Keeps the findings for the caller to ask for.
int give(const Report& report) {
    std::string& text = last_findings();
    text.clear();
    std::vector<std::string> lines = report.lines();
    for (const std::string& line : lines)
        text += (text.empty() ? "" : "\n") + line;
    return int(lines.size());
}

int refuse(const std::string& why) {
    Report report;
    report.add(Finding("refused").say(why));
    return give(report);
}

/// The checking library comes after this one and has to be told what is there already.
void meet_checker(State& s) {
    if (checker == s.known_checker)
        return;
    s.known_checker = checker;
    checker->device_range(s.memory.base(), s.memory.size());
    checker->shared_range(s.block.shared_range(), Block::SHARED_RANGE);
    for (auto [address, bytes] : s.memory.buffers())
        checker->allocated(address, bytes);
    checker->all_written();
}

std::string why_not(const Kernel* k, const Task& t, long parameter_bytes) {
    if (parameter_bytes != k->parameter_bytes)
        return format("its parameters take %ld bytes, not %ld", k->parameter_bytes, parameter_bytes);
    if (k->shared_bytes > shared_limit(k->architecture))
        return format("it names %ld bytes of shared memory, of %ld", k->shared_bytes, shared_limit(k->architecture));
    if (t.grid[0] < 1 || t.grid[1] < 1 || t.grid[2] < 1 || t.grid[1] > 65535 || t.grid[2] > 65535)
        return format("a grid of %d x %d x %d", t.grid[0], t.grid[1], t.grid[2]);
    return "";
}

} // namespace

Kernel::Kernel(const char* name, int architecture, bool checked, int threads, long shared_bytes, long parameter_bytes,
               void (*run)(const void*))
    : name(name), architecture(architecture), checked(checked), threads(threads), shared_bytes(shared_bytes),
      parameter_bytes(parameter_bytes), run(run) {
    if (!kernels_of(architecture, checked).emplace(name, this).second)
        fprintf(stderr, "emulator: there are two kernels %s\n", name);
}

// ---------------------------------------------------------------- memory

long allocate(long bytes) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    long address = s.memory.allocate(bytes);
    if (address && s.known_checker)
        s.known_checker->allocated(address, bytes);
    return address;
}

int release(long address) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    long bytes = s.memory.release(address);
    if (bytes < 0)
        return refuse(format("release of 0x%lx, where no buffer starts", address));
    if (s.known_checker)
        s.known_checker->released(address, bytes);
    return 0;
}

long allocated_bytes() {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    return s.memory.allocated();
}

static int check_range(const State& s, const char* what, long address, long bytes) {
    if (s.memory.contains(address, bytes))
        return 0;
    return refuse(format("%s of %ld bytes: %s", what, bytes, s.memory.describe(address, bytes).c_str()));
}

static void written(State& s, long address, long bytes) {
    if (s.known_checker)
        s.known_checker->written_by_host(address, bytes);
}

int copy_to_device(long to, const void* from, long bytes) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    if (int findings = check_range(s, "a copy to the device", to, bytes))
        return findings;
    memcpy(reinterpret_cast<void*>(to), from, size_t(bytes));
    written(s, to, bytes);
    return 0;
}

int copy_to_host(void* to, long from, long bytes) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    if (int findings = check_range(s, "a copy to the host", from, bytes))
        return findings;
    memcpy(to, reinterpret_cast<const void*>(from), size_t(bytes));
    return 0;
}

int copy_on_device(long to, long from, long bytes) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    if (int findings = check_range(s, "a copy on the device from a buffer", from, bytes))
        return findings;
    if (int findings = check_range(s, "a copy on the device to a buffer", to, bytes))
        return findings;
    memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), size_t(bytes));
    written(s, to, bytes);
    return 0;
}

int fill(long to, int byte, long bytes) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    if (int findings = check_range(s, "a fill", to, bytes))
        return findings;
    memset(reinterpret_cast<void*>(to), byte, size_t(bytes));
    written(s, to, bytes);
    return 0;
}

// ---------------------------------------------------------------- kernels

int load(const char* library) {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (dlopen(library, RTLD_NOW | RTLD_LOCAL))
        return 0;
    return refuse(dlerror());
}

int kernels(int architecture) {
    std::lock_guard<std::mutex> lock(state().mutex);
    return int(kernels_of(architecture, false).size());
}

const char* kernel_name(int architecture, int number) {
    std::lock_guard<std::mutex> lock(state().mutex);
    Kernels& kernels = kernels_of(architecture, false);
    if (number < 0 || number >= int(kernels.size()))
        return nullptr;
    return std::next(kernels.begin(), number)->second->name;
}

template <class Field>
static int property(const char* name, int architecture, Field Kernel::*field) {
    std::lock_guard<std::mutex> lock(state().mutex);
    const Kernel* k = find(name, architecture, false);
    return k ? int(k->*field) : -1;
}

int kernel_threads(const char* name, int architecture) { return property(name, architecture, &Kernel::threads); }

int kernel_shared_bytes(const char* name, int architecture) {
    return property(name, architecture, &Kernel::shared_bytes);
}

int kernel_parameter_bytes(const char* name, int architecture) {
    return property(name, architecture, &Kernel::parameter_bytes);
}

int launch(const char* name, int architecture, int grid_x, int grid_y, int grid_z, const void* parameters,
           long parameter_bytes, long seed, bool checking) {
    State& s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    last_findings().clear();
    const Kernel* k = find(name, architecture, checking);
    if (!k)
        return refuse(format("there is no kernel %s for sm_%d%s", name, architecture,
                             checking ? " among those compiled for checking" : ""));
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
        return refuse("the emulator needs a processor with AVX2, FMA and F16C");

    Report report;
    alignas(16) char copy[4096]; // as a card has its own
    Job job;
    job.task = {k, copy, {grid_x, grid_y, grid_z}, uint64_t(seed), nullptr, &report};
    if (std::string why = why_not(k, job.task, parameter_bytes); !why.empty())
        return refuse(format("%s (sm_%d): %s", name, architecture, why.c_str()));
    memcpy(copy, parameters, size_t(parameter_bytes));
    job.blocks = long(grid_x) * grid_y * grid_z;
    job.first = 0;
    job.step = 1;
    if (seed && job.blocks > 1) {
        job.first = long(uint64_t(seed) % uint64_t(job.blocks));
        job.step = long(uint64_t(seed) / 7 % uint64_t(job.blocks)) | 1;
        while (std::gcd(job.step, job.blocks) != 1)
            job.step++;
    }

    meet_checker(s);
    FaultHandler handler;
    if (checking) {
        job.task.checker = checker;
        checker->begin_launch(*k, report);
        job.work(s.block);
        checker->end_launch();
    } else {
        if (job.blocks > 1)
            forever<Helpers>().work(job, s.block);
        else
            job.work(s.block);
        if (s.known_checker)
            s.known_checker->all_written();
    }
    Report seen_already;
    s.memory.check_guards(name, checking ? seen_already : report);
    return report.empty() ? 0 : give(report);
}

const char* findings() { return last_findings().c_str(); }

} // namespace emulator
