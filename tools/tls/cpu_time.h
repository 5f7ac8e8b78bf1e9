// The processor time that a thread, or the process, has used so far.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_TLS_CPU_TIME_H_
#define GHOSTCARD_TOOLS_TLS_CPU_TIME_H_

#include <ctime>

#include "hwsim/base/check.h"
#include "hwsim/base/clock.h"

namespace tools::tls {

inline hwsim::Duration CpuTime(clockid_t clock) {
  timespec time{};
  GHOSTCARD_CHECK(::clock_gettime(clock, &time) == 0, "the kernel has the CPU-time clocks");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}
inline hwsim::Duration ThreadCpuTime() { return CpuTime(CLOCK_THREAD_CPUTIME_ID); }
inline hwsim::Duration ProcessCpuTime() { return CpuTime(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_CPU_TIME_H_
