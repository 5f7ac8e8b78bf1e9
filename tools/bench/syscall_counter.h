// SyscallCounter: counts the system calls of this process with a perf event.
//
// Threads: counts those of the thread that created it, and of threads that are started later.
#ifndef GHOSTCARD_TOOLS_BENCH_SYSCALL_COUNTER_H_
#define GHOSTCARD_TOOLS_BENCH_SYSCALL_COUNTER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hwsim/base/fd.h"

namespace tools::bench {

class SyscallCounter {
 public:
  SyscallCounter();
  // System calls since construction. nullopt: the kernel refused; why() says what.
  std::optional<uint64_t> count() const;
  const std::string& why() const { return why_; }

 private:
  hwsim::UniqueFd fd_;
  std::string why_;
};

}  // namespace tools::bench

#endif  // GHOSTCARD_TOOLS_BENCH_SYSCALL_COUNTER_H_
