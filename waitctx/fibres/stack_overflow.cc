#include "waitctx/fibres/stack_overflow.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace waitctx::fibres {
namespace {

// Read in the handler. Release/acquire: a thread that sees the function also sees `g_previous`.
std::atomic<RunningJobFn> g_running_job{nullptr};
struct sigaction g_previous;

// Builds a line without malloc, locks or stdio, which a signal handler must not use.
class Line {
 public:
  Line& Text(const char* text) {
    while (*text != '\0' && length_ < sizeof(text_)) text_[length_++] = *text++;
    return *this;
  }
  Line& Number(uint64_t value, unsigned base) {
    char digits[24];
    size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count > 0 && length_ < sizeof(text_)) text_[length_++] = digits[--count];
    return *this;
  }
  Line& Pointer(const void* pointer) {
    return Text("0x").Number(reinterpret_cast<uintptr_t>(pointer), 16);
  }
  void Print() { (void)!write(STDERR_FILENO, text_, length_); }

 private:
  char text_[256];
  size_t length_ = 0;
};

void PassOn(int signal, siginfo_t* info, void* context) {
  if ((g_previous.sa_flags & SA_SIGINFO) != 0) {
    g_previous.sa_sigaction(signal, info, context);
  } else if (g_previous.sa_handler != SIG_DFL && g_previous.sa_handler != SIG_IGN) {
    g_previous.sa_handler(signal);
  } else {
    // The faulting instruction runs again and ends the process at that place, also under SIG_IGN,
    // which does not apply to a real fault. A signal from kill(2) is sent again.
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    if (info->si_code <= 0) raise(signal);
  }
}

void HandleFault(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  const RunningJobFn running_job = g_running_job.load(std::memory_order_acquire);
  RunningJob job;
  if (info->si_code > 0 && running_job(job) && address < job.stack.bottom &&
      address >= job.stack.bottom - job.stack.guard_size) {
    Line()
        .Text("ghostcard: stack overflow in job ")
        .Pointer(job.handle)
        .Text(" (function ")
        .Pointer(job.function)
        .Text("): its stack has ")
        .Number(job.stack.size, 10)
        .Text(" bytes\n")
        .Print();
  }
  errno = saved_errno;
  PassOn(signal, info, context);
}

}  // namespace

void ReportStackOverflows(RunningJobFn running_job) {
  [[maybe_unused]] static const bool installed = [running_job] {
    struct sigaction action = {};
    action.sa_sigaction = &HandleFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    // Stored before the new handler can run.
    sigaction(SIGSEGV, nullptr, &g_previous);
    g_running_job.store(running_job, std::memory_order_release);
    return sigaction(SIGSEGV, &action, nullptr) == 0;
  }();
}

AlternateStack::AlternateStack() {
  stack_t present = {};
  if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
  // The kernel's part grows with the CPU's registers; the rest is for the handler called next.
  const long least = sysconf(_SC_SIGSTKSZ);
  const size_t size = std::max<size_t>(least > 0 ? static_cast<size_t>(least) : 0, 64 * 1024);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;  // an overflow then ends the process without a message
  stack_t ours = {};
  ours.ss_sp = memory;
  ours.ss_size = size;
  if (sigaltstack(&ours, nullptr) != 0) {
    munmap(memory, size);
    return;
  }
  memory_ = memory;
  size_ = size;
}

AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  stack_t present = {};
  sigaltstack(nullptr, &present);
  if (present.ss_sp == memory_) {  // else the program has replaced it
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  munmap(memory_, size_);
}

}  // namespace waitctx::fibres
