#include "waitctx/check/callbacks.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

#include "waitctx/base/tls.h"

namespace waitctx::check {

constinit GHOSTCARD_TLS int t_callback_depth = 0;

namespace {

constexpr size_t kStandIns = 64;

struct Functions {
  std::mutex mutex;
  CallbackWatcher watcher{};  // set before the first StandInFor() returns
  // Each is written once, under the mutex, before StandInFor() returns the stand-in's address.
  std::array<std::atomic<ASYNC_callback_fn>, kStandIns> functions{};

  static Functions& Get() {
    static auto& functions = *new Functions;  // never destroyed: threads may still call
    return functions;
  }
};

int64_t Now(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// The times and counters of a thread.
struct Usage {
  static Usage OfThread() {
    rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return {Now(CLOCK_MONOTONIC), Now(CLOCK_THREAD_CPUTIME_ID), usage.ru_nvcsw, usage.ru_majflt};
  }
  // The time spent running or blocked. A thread that gave up its processor only to read pages, or
  // not at all, did not block: the rest of the wall time went to other threads.
  int64_t BusySince(const Usage& start) const {
    const bool blocked = sleeps - start.sleeps > faults - start.faults;
    return blocked ? wall_ns - start.wall_ns : cpu_ns - start.cpu_ns;
  }

  int64_t wall_ns;
  int64_t cpu_ns;
  long sleeps;
  long faults;
};

// Counts down also when the callback throws.
class DepthGuard {
 public:
  DepthGuard() { ++t_callback_depth; }
  ~DepthGuard() { --t_callback_depth; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
};

int Call(size_t index, ASYNC_callback_fn stand_in, void* argument) {
  Functions& all = Functions::Get();
  // Acquire: with the function, this thread sees the watcher.
  const ASYNC_callback_fn function = all.functions[index].load(std::memory_order_acquire);
  all.watcher.before(stand_in, argument);
  const Usage start = Usage::OfThread();
  int result;
  {
    const DepthGuard depth;
    result = function(argument);
  }
  all.watcher.after(function, Usage::OfThread().BusySince(start));
  return result;
}

template <size_t kIndex>
int StandIn(void* argument) {
  return Call(kIndex, &StandIn<kIndex>, argument);
}

template <size_t... kIndex>
constexpr std::array<ASYNC_callback_fn, kStandIns> MakeStandIns(std::index_sequence<kIndex...>) {
  return {&StandIn<kIndex>...};
}
constexpr auto kStandInTable = MakeStandIns(std::make_index_sequence<kStandIns>());

}  // namespace

ASYNC_callback_fn StandInFor(ASYNC_callback_fn function, const CallbackWatcher& watcher) {
  // The program read a stand-in back and registers it again.
  if (std::find(kStandInTable.begin(), kStandInTable.end(), function) != kStandInTable.end()) {
    return function;
  }
  Functions& all = Functions::Get();
  const std::lock_guard lock(all.mutex);
  for (size_t i = 0; i < kStandIns; ++i) {
    const ASYNC_callback_fn taken = all.functions[i].load(std::memory_order_relaxed);
    if (taken == function) return kStandInTable[i];
    if (taken != nullptr) continue;
    if (i == 0) all.watcher = watcher;
    all.functions[i].store(function, std::memory_order_release);
    return kStandInTable[i];
  }
  return nullptr;
}

int CallbackDepth() { return t_callback_depth; }
void SetCallbackDepth(int depth) { t_callback_depth = depth; }

void LockStandIns() { Functions::Get().mutex.lock(); }
void UnlockStandIns() { Functions::Get().mutex.unlock(); }

}  // namespace waitctx::check
