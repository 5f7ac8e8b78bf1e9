// Thread timing: what a thread needs in order to spin, or to sleep with a time limit.
//
// Threads: any; there is no state.
#ifndef GHOSTCARD_HWSIM_BASE_THREAD_TIMING_H_
#define GHOSTCARD_HWSIM_BASE_THREAD_TIMING_H_

#include <algorithm>
#include <chrono>
#include <ctime>

#include "hwsim/base/clock.h"

namespace hwsim {

// Tells the processor, not the scheduler, that this thread is spinning. A spinning thread that
// yields loses its turn to every runnable thread.
inline void SpinPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// `duration` as the kernel takes it: timespec, or io_uring's __kernel_timespec. Negative: zero.
template <typename Timespec = timespec>
Timespec ToTimespec(Duration duration) {
  duration = std::max(duration, Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_THREAD_TIMING_H_
