#include "report.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <map>

namespace emulator {

std::string format(const char* pattern, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, pattern);
    vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

static std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Asks addr2line, part of every C compiler's installation, for the innermost call and the callers that it was inlined
/// into. Best is the first that does not lie in the dialect itself; in a header it is named with the kernel's call of
/// it.
static std::string ask(const char* library, uintptr_t offset) {
    std::string quoted;
    for (const char* c = library; *c; c++)
        quoted += *c == '\'' ? std::string("'\\''") : std::string(1, *c);
    FILE* pipe = popen(format("addr2line -i -e '%s' 0x%zx 2>/dev/null", quoted.c_str(), offset).c_str(), "r");
    if (!pipe)
        return "";
    std::string best;
    char buffer[4096];
    while (fgets(buffer, sizeof buffer, pipe)) {
        std::string line = file_name(buffer);
        line = line.substr(0, line.find_first_of(" \n")); // without "(discriminator 2)"
        std::string file = line.substr(0, line.find(':'));
        if (line.empty() || file == "??" || line.back() == '?' || file == "device.cuh" || file == "emulated_device.h")
            continue;
        bool kernel = line.find(".cu:") != std::string::npos;
        if (best.empty())
            best = line;
        else if (kernel)
            best += " (from " + line + ")";
        if (kernel)
            break;
    }
    while (fgets(buffer, sizeof buffer, pipe)) // or it would complain
        continue;
    pclose(pipe);
    return best;
}

std::string source_line(const void* return_address) {
    static std::mutex mutex;
    static std::map<const void*, std::string> known;
    std::lock_guard<std::mutex> lock(mutex);
    auto [entry, is_new] = known.try_emplace(return_address);
    Dl_info info;
    if (is_new && dladdr(return_address, &info) && info.dli_fname) {
        // One byte back lies in the call itself.
        uintptr_t offset = uintptr_t(return_address) - 1 - uintptr_t(info.dli_fbase);
        entry->second = ask(info.dli_fname, offset);
        if (entry->second.empty())
            entry->second = format("%s+0x%zx", file_name(info.dli_fname).c_str(), offset);
    }
    return entry->second;
}

void Report::add(Finding finding) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!full())
        findings_.push_back(std::move(finding));
}

std::vector<std::string> Report::lines() const {
    std::vector<std::string> lines;
    std::set<std::set<std::string>> seen;
    for (const Finding& finding : findings_) {
        std::string line = finding.kind + ": ";
        std::set<std::string> key{finding.kind};
        for (const Finding::Part& part : finding.parts) {
            line += part.text;
            if (part.place) {
                std::string at = source_line(part.place);
                line += " at " + at;
                key.insert(at);
            }
        }
        if (key.size() == 1)
            key.insert(line);
        if (seen.insert(key).second)
            lines.push_back(line);
    }
    return lines;
}

} // namespace emulator
