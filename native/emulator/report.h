// Findings: what is wrong with a launch, in words, with places in the source.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "twins.h"

namespace emulator {

/// One finding: pieces of text, each followed by the source line of a return address unless that is null. Lines are
/// looked up when the text is asked for, because that is slow and needs a larger stack than fibers have.
class Finding {
public:
    /// Findings of the same kind whose places are the same source lines are named once.
    explicit Finding(std::string kind) : kind(std::move(kind)) {}

    Finding& say(std::string text, const void* place = nullptr) {
        parts.push_back({std::move(text), place});
        return *this;
    }

    struct Part {
        std::string text;
        const void* place;
    };
    std::string kind;
    std::vector<Part> parts;
};

/// The findings of one call, at most MAXIMUM of them.
class Report {
public:
    static constexpr size_t MAXIMUM = 100;

    EMULATOR_API void add(Finding finding);
    bool empty() const { return findings_.empty(); }
    bool full() const { return findings_.size() >= MAXIMUM; }
    /// One line per finding.
    std::vector<std::string> lines() const;

private:
    std::mutex mutex_;
    std::vector<Finding> findings_;
};

/// The source line that a return address belongs to, "file.cu:12"; without symbols the library and the offset in it.
std::string source_line(const void* return_address);

EMULATOR_API __attribute__((format(printf, 1, 2))) std::string format(const char* pattern, ...);

} // namespace emulator
