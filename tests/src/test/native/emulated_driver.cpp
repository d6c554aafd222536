// A stand-in for the NVIDIA driver, libcuda.so.1: the functions that org.jmatte.kernels.CudaDevice calls, on the
// emulator's memory and kernels. It is stricter than the driver where that finds mistakes: every call needs a current
// context, handles must be live, and a launch must have what the kernel was compiled with. EmulatedDriverTest builds
// it.
//
//   EMULATED_DRIVER   words that change it: init=CODE, version=N, sm=NN, cards=N, bytes=N, refuse=CODE (fat binaries)
#include "jmatte_emulator.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

enum Result {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
};

using Handle = uint64_t;
using Clock = std::chrono::steady_clock;

struct Memory {
    long bytes;
};
struct Event {
    bool recorded = false;
    Clock::time_point at;
};
struct Function {
    std::string name;
    int allowed_shared = 48 * 1024;
};
/// Work that was captured, done when it is launched.
struct Graph {
    std::vector<std::function<int()>> work;
    bool valid = true;
};
struct Module {
    std::string image;
    std::map<std::string, Handle> globals;
};

std::recursive_mutex lock;
int failure; // sticky
Handle next_handle = 0x1000;
std::set<Handle> contexts, streams;
std::map<Handle, Memory> memory;
std::map<Handle, Event> events;
std::map<Handle, Function> functions;
std::map<Handle, Module> modules;
std::map<Handle, Graph> graphs, executables;
std::map<Handle, Graph> capturing; // by stream
thread_local Handle captured_here; // the stream that this thread captures
std::set<void*> page_locked;
Handle primary;
int primary_users;
long used;
thread_local std::vector<Handle> current;

long option(const char* name, long otherwise) {
    const char* all = getenv("EMULATED_DRIVER");
    const char* at = all ? strstr(all, name) : nullptr;
    return at ? strtol(at + strlen(name) + 1, nullptr, 10) : otherwise;
}
int architecture() { return int(option("sm", 75)); }
int emulated() { return architecture() < 80 ? 75 : 80; }
long total() { return option("bytes", 1L << 30); }

/// What every call but those for contexts needs.
int ready() {
    if (failure)
        return failure;
    return current.empty() || !contexts.count(current.back()) ? INVALID_CONTEXT : SUCCESS;
}
bool live(Handle stream) { return stream == 0 || streams.count(stream); }

/// Does work on a stream, or captures it.
int queue(Handle stream, const std::function<int()>& work) {
    if (!live(stream))
        return INVALID_HANDLE;
    auto captured = capturing.find(stream);
    if (captured == capturing.end())
        return work();
    captured->second.work.push_back(work);
    return SUCCESS;
}
/// What must not be done while this thread captures, on the captured stream or anywhere.
bool forbidden(Handle stream) {
    if (!captured_here || (stream && stream != captured_here))
        return false;
    capturing[captured_here].valid = false;
    return true;
}

template <class Map>
Handle add(Map& map) {
    Handle handle = next_handle += 16;
    map[handle];
    return handle;
}

} // namespace

#define DRIVER_CALL                                                                                                    \
    std::lock_guard<std::recursive_mutex> guard(lock);                                                                 \
    if (int problem = ready())                                                                                         \
        return problem;

extern "C" {

int cuInit(unsigned) { return int(option("init", SUCCESS)); }
int cuDriverGetVersion(int* version) {
    *version = int(option("version", 13000));
    return SUCCESS;
}
/// Asked for by NVRTC, which must not find its absence.
int cuGetExportTable(const void** table, const void*) {
    *table = nullptr;
    return NOT_FOUND;
}
int cuGetErrorName(int error, const char** name) {
    static const std::map<int, const char*> names = {{INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
                                                     {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                     {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
                                                     {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
                                                     {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE"},
                                                     {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
                                                     {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
                                                     {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
                                                     {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                                                     {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
                                                     {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"}};
    auto found = names.find(error);
    *name = found == names.end() ? nullptr : found->second;
    return found == names.end() ? INVALID_VALUE : SUCCESS;
}
int cuGetErrorString(int error, const char** text) {
    *text = error == ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "text of the emulated driver";
    return SUCCESS;
}

// ---------------------------------------------------------------- cards and contexts

int cuDeviceGetCount(int* count) {
    *count = int(option("cards", 1));
    return SUCCESS;
}
int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal < option("cards", 1) ? SUCCESS : INVALID_DEVICE;
}
int cuDeviceGetName(char* name, int length, int device) {
    strncpy(name, ("Emulated card " + std::to_string(device)).c_str(), size_t(length));
    return SUCCESS;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
    switch (attribute) {
    case 16: // multiprocessors
        *value = 4;
        return SUCCESS;
    case 75:
        *value = architecture() / 10;
        return SUCCESS;
    case 76:
        *value = architecture() % 10;
        return SUCCESS;
    case 97: // shared memory per block, on request
        *value = (architecture() == 75 ? 64 : 99) * 1024;
        return SUCCESS;
    default:
        return INVALID_VALUE;
    }
}
int cuDevicePrimaryCtxRetain(Handle* context, int) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (primary_users++ == 0)
        contexts.insert(primary = next_handle += 16);
    *context = primary;
    return SUCCESS;
}
int cuDevicePrimaryCtxRelease_v2(int) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (primary_users == 0)
        return INVALID_CONTEXT;
    if (--primary_users == 0)
        contexts.erase(primary);
    return SUCCESS;
}
int cuCtxCreate_v2(Handle* context, unsigned, int) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    contexts.insert(*context = next_handle += 16);
    current.push_back(*context);
    return SUCCESS;
}
int cuCtxDestroy_v2(Handle context) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (!contexts.erase(context))
        return INVALID_CONTEXT;
    if (!current.empty() && current.back() == context)
        current.pop_back();
    return SUCCESS;
}
int cuCtxGetCurrent(Handle* context) {
    *context = current.empty() ? 0 : current.back();
    return SUCCESS;
}
int cuCtxSetCurrent(Handle context) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (context && !contexts.count(context))
        return INVALID_CONTEXT;
    if (!current.empty())
        current.pop_back();
    if (context)
        current.push_back(context);
    return SUCCESS;
}
int cuCtxPushCurrent_v2(Handle context) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (!contexts.count(context))
        return INVALID_CONTEXT;
    current.push_back(context);
    return SUCCESS;
}
int cuCtxPopCurrent_v2(Handle* context) {
    if (current.empty())
        return INVALID_CONTEXT;
    *context = current.back();
    current.pop_back();
    return SUCCESS;
}
int cuCtxGetDevice(int* device) {
    DRIVER_CALL
    *device = 0;
    return SUCCESS;
}
int cuCtxSynchronize() {
    DRIVER_CALL
    return SUCCESS;
}

// ---------------------------------------------------------------- memory

int cuMemGetInfo_v2(size_t* free, size_t* all) {
    DRIVER_CALL
    *free = size_t(total() - used);
    *all = size_t(total());
    return SUCCESS;
}
int cuMemAlloc_v2(Handle* pointer, size_t bytes) {
    DRIVER_CALL
    if (forbidden(0))
        return CAPTURE_UNSUPPORTED;
    if (bytes == 0)
        return INVALID_VALUE;
    if (used + long(bytes) > total() || long(bytes) < 0)
        return OUT_OF_MEMORY;
    *pointer = Handle(emulator::allocate(long(bytes)));
    if (!*pointer)
        return OUT_OF_MEMORY;
    memory[*pointer] = {long(bytes)};
    used += long(bytes);
    return SUCCESS;
}
int cuMemFree_v2(Handle pointer) {
    DRIVER_CALL
    auto found = memory.find(pointer);
    if (found == memory.end())
        return INVALID_VALUE;
    used -= found->second.bytes;
    memory.erase(found);
    return emulator::release(long(pointer)) ? INVALID_VALUE : SUCCESS;
}
int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
    DRIVER_CALL
    page_locked.insert(*pointer = malloc(bytes));
    return SUCCESS;
}
int cuMemFreeHost(void* pointer) {
    DRIVER_CALL
    if (!page_locked.erase(pointer))
        return INVALID_VALUE;
    free(pointer);
    return SUCCESS;
}
int cuMemcpyHtoDAsync_v2(Handle to, const void* from, size_t bytes, Handle stream) {
    DRIVER_CALL
    if (!live(stream))
        return INVALID_HANDLE;
    if (forbidden(stream)) // of memory that is pageable, and that may change until the graph is launched
        return CAPTURE_UNSUPPORTED;
    return emulator::copy_to_device(long(to), from, long(bytes)) ? INVALID_VALUE : SUCCESS;
}
int cuMemcpyHtoD_v2(Handle to, const void* from, size_t bytes) { return cuMemcpyHtoDAsync_v2(to, from, bytes, 0); }
int cuMemcpyDtoHAsync_v2(void* to, Handle from, size_t bytes, Handle stream) {
    DRIVER_CALL
    if (!live(stream))
        return INVALID_HANDLE;
    if (forbidden(stream))
        return CAPTURE_UNSUPPORTED;
    return emulator::copy_to_host(to, long(from), long(bytes)) ? INVALID_VALUE : SUCCESS;
}
int cuMemcpyDtoH_v2(void* to, Handle from, size_t bytes) { return cuMemcpyDtoHAsync_v2(to, from, bytes, 0); }
int cuMemcpyDtoDAsync_v2(Handle to, Handle from, size_t bytes, Handle stream) {
    DRIVER_CALL
    return queue(stream,
                 [=] { return emulator::copy_on_device(long(to), long(from), long(bytes)) ? INVALID_VALUE : SUCCESS; });
}
int cuMemsetD8Async(Handle to, unsigned char value, size_t bytes, Handle stream) {
    DRIVER_CALL
    return queue(stream, [=] { return emulator::fill(long(to), value, long(bytes)) ? INVALID_VALUE : SUCCESS; });
}

// ---------------------------------------------------------------- streams and events

int cuStreamCreate(Handle* stream, unsigned) {
    DRIVER_CALL
    streams.insert(*stream = next_handle += 16);
    return SUCCESS;
}
int cuStreamDestroy_v2(Handle stream) {
    DRIVER_CALL
    return streams.erase(stream) ? SUCCESS : INVALID_HANDLE;
}
int cuStreamSynchronize(Handle stream) {
    DRIVER_CALL
    if (forbidden(stream))
        return CAPTURE_UNSUPPORTED;
    return live(stream) ? SUCCESS : INVALID_HANDLE;
}
int cuStreamQuery(Handle stream) { return cuStreamSynchronize(stream); }
int cuStreamWaitEvent(Handle stream, Handle event, unsigned) {
    DRIVER_CALL
    return live(stream) && events.count(event) ? SUCCESS : INVALID_HANDLE;
}
int cuEventCreate(Handle* event, unsigned) {
    DRIVER_CALL
    *event = add(events);
    return SUCCESS;
}
int cuEventDestroy_v2(Handle event) {
    DRIVER_CALL
    return events.erase(event) ? SUCCESS : INVALID_HANDLE;
}
int cuEventRecord(Handle event, Handle stream) {
    DRIVER_CALL
    if (!live(stream) || !events.count(event))
        return INVALID_HANDLE;
    events[event] = {true, Clock::now()};
    return SUCCESS;
}
int cuEventSynchronize(Handle event) {
    DRIVER_CALL
    return events.count(event) ? SUCCESS : INVALID_HANDLE;
}
int cuEventQuery(Handle event) { return cuEventSynchronize(event); }
int cuEventElapsedTime(float* milliseconds, Handle start, Handle end) {
    DRIVER_CALL
    if (!events.count(start) || !events.count(end) || !events[start].recorded || !events[end].recorded)
        return INVALID_HANDLE;
    *milliseconds = std::chrono::duration<float, std::milli>(events[end].at - events[start].at).count();
    return SUCCESS;
}

// ---------------------------------------------------------------- graphs

int cuStreamBeginCapture_v2(Handle stream, int mode) {
    DRIVER_CALL
    if (mode != 1 || !stream || !live(stream) || capturing.count(stream) || captured_here)
        return INVALID_VALUE;
    capturing[captured_here = stream];
    return SUCCESS;
}
int cuStreamEndCapture(Handle stream, Handle* graph) {
    DRIVER_CALL
    if (!stream || stream != captured_here)
        return INVALID_VALUE;
    Graph captured = capturing[stream];
    capturing.erase(stream);
    captured_here = 0;
    if (!captured.valid)
        return CAPTURE_INVALIDATED;
    graphs[*graph = next_handle += 16] = captured;
    return SUCCESS;
}
int cuGraphInstantiateWithFlags(Handle* executable, Handle graph, unsigned long long) {
    DRIVER_CALL
    if (!graphs.count(graph))
        return INVALID_VALUE;
    executables[*executable = next_handle += 16] = graphs[graph];
    return SUCCESS;
}
int cuGraphDestroy(Handle graph) {
    DRIVER_CALL
    return graphs.erase(graph) ? SUCCESS : INVALID_VALUE;
}
int cuGraphExecDestroy(Handle executable) {
    DRIVER_CALL
    return executables.erase(executable) ? SUCCESS : INVALID_VALUE;
}
int cuGraphLaunch(Handle executable, Handle stream) {
    DRIVER_CALL
    if (!executables.count(executable) || !live(stream))
        return INVALID_HANDLE;
    for (auto& work : executables[executable].work)
        if (int problem = work())
            return problem;
    return SUCCESS;
}

// ---------------------------------------------------------------- modules and launches

int cuModuleLoadDataEx(Handle* module, const void* image, unsigned, int*, void**) {
    DRIVER_CALL
    if (forbidden(0))
        return CAPTURE_UNSUPPORTED;
    if (int refusal = int(option("refuse", SUCCESS)))
        return refusal;
    // A fat binary: magic, version, bytes of the header, bytes of the rest.
    uint32_t magic;
    uint16_t header;
    uint64_t rest;
    memcpy(&magic, image, 4);
    memcpy(&header, static_cast<const char*>(image) + 6, 2);
    memcpy(&rest, static_cast<const char*>(image) + 8, 8);
    if (magic != 0xba55ed50u)
        return INVALID_IMAGE;
    *module = add(modules);
    modules[*module].image.assign(static_cast<const char*>(image), header + rest);
    return SUCCESS;
}
int cuModuleUnload(Handle module) {
    DRIVER_CALL
    auto found = modules.find(module);
    if (found == modules.end())
        return INVALID_HANDLE;
    for (auto& global : found->second.globals)
        emulator::release(long(global.second));
    modules.erase(found);
    return SUCCESS;
}
int cuModuleGetFunction(Handle* function, Handle module, const char* name) {
    DRIVER_CALL
    if (!modules.count(module))
        return INVALID_HANDLE;
    std::string text = std::string(".text.") + name + '\0';
    if (modules[module].image.find(text) == std::string::npos || emulator::kernel_threads(name, emulated()) < 0)
        return NOT_FOUND;
    *function = add(functions);
    functions[*function].name = name;
    return SUCCESS;
}
int cuModuleGetGlobal_v2(Handle* pointer, size_t* bytes, Handle module, const char* name) {
    DRIVER_CALL
    if (!modules.count(module))
        return INVALID_HANDLE;
    std::string whole = name;
    std::string kernel = whole.substr(0, whole.rfind("_launch"));
    if (modules[module].image.find('\0' + whole + '\0') == std::string::npos)
        return NOT_FOUND;
    int numbers[3] = {emulator::kernel_threads(kernel.c_str(), emulated()),
                      emulator::kernel_shared_bytes(kernel.c_str(), emulated()),
                      emulator::kernel_parameter_bytes(kernel.c_str(), emulated())};
    Handle& global = modules[module].globals[whole];
    if (!global)
        global = Handle(emulator::allocate(sizeof(numbers)));
    emulator::copy_to_device(long(global), numbers, sizeof(numbers));
    *pointer = global;
    *bytes = sizeof(numbers);
    return SUCCESS;
}
int cuFuncSetAttribute(Handle function, int attribute, int value) {
    DRIVER_CALL
    if (!functions.count(function))
        return INVALID_HANDLE;
    if (attribute != 8 || value > (architecture() == 75 ? 64 : 99) * 1024)
        return INVALID_VALUE;
    functions[function].allowed_shared = value;
    return SUCCESS;
}
int cuLaunchKernel(Handle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned threads,
                   unsigned threads_y, unsigned threads_z, unsigned shared, Handle stream, void** parameters,
                   void** extra) {
    DRIVER_CALL
    if (!functions.count(function) || !live(stream))
        return INVALID_HANDLE;
    const Function& f = functions[function];
    if (extra || threads_y != 1 || threads_z != 1 || int(shared) > f.allowed_shared ||
        int(threads) != emulator::kernel_threads(f.name.c_str(), emulated()) ||
        int(shared) != emulator::kernel_shared_bytes(f.name.c_str(), emulated()))
        return INVALID_VALUE;
    int bytes = emulator::kernel_parameter_bytes(f.name.c_str(), emulated());
    std::string name = f.name;
    std::string copied(static_cast<const char*>(parameters[0]), size_t(bytes));
    return queue(stream, [=] {
        if (emulator::launch(name.c_str(), emulated(), int(grid_x), int(grid_y), int(grid_z), copied.data(), bytes, 0,
                             option("checking", 0) != 0))
            failure = ILLEGAL_ADDRESS; // found with a later call, as on a card
        return SUCCESS;
    });
}

} // extern "C"
