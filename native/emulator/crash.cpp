#include "crash.h"

#include <ucontext.h>

#include "block.h"

namespace emulator {

static constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
static struct sigaction before[3];

static void on_signal(int signal, siginfo_t* info, void* context) {
    if (current && current->running()) {
        auto instruction = uintptr_t(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
        std::string what = signal == SIGFPE ? "divides by zero" : format("accesses address %p", info->si_addr);
        // Does not return: the block is given up, and with it this handler.
        current->fail(Finding("crash").say(format("%s %s", current->who(here.thread).c_str(), what.c_str()),
                                           reinterpret_cast<const void*>(instruction + 1)));
    }
    for (int i = 0; i < 3; i++) {
        if (SIGNALS[i] != signal)
            continue;
        if (before[i].sa_flags & SA_SIGINFO)
            before[i].sa_sigaction(signal, info, context);
        else if (before[i].sa_handler != SIG_DFL && before[i].sa_handler != SIG_IGN)
            before[i].sa_handler(signal);
        else
            sigaction(signal, &before[i], nullptr); // the fault comes again, and meets its fate
    }
}

FaultHandler::FaultHandler() {
    struct sigaction handler = {};
    handler.sa_sigaction = on_signal;
    handler.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&handler.sa_mask);
    for (int i = 0; i < 3; i++)
        sigaction(SIGNALS[i], &handler, &before[i]);
}

FaultHandler::~FaultHandler() {
    for (int i = 0; i < 3; i++)
        sigaction(SIGNALS[i], &before[i], nullptr);
}

HandlerStack::HandlerStack() : memory_(new char[BYTES]) {
    stack_t stack = {};
    stack.ss_sp = memory_;
    stack.ss_size = BYTES;
    sigaltstack(&stack, &before_);
}

HandlerStack::~HandlerStack() {
    sigaltstack(&before_, nullptr);
    delete[] memory_;
}

} // namespace emulator
