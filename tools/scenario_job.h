// ScenarioJob: one of the application's jobs, or tasks that stand for them, with the application's
// own books of it.
//
// Threads: the application's. Ownership: the application's.
#ifndef GHOSTCARD_TOOLS_SCENARIO_JOB_H_
#define GHOSTCARD_TOOLS_SCENARIO_JOB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/operation.h"
#include "hwsim/clock.h"
#include "waitctx/coroutine.h"
#include "waitctx/job.h"

namespace tools {

struct ScenarioJob {
  uint32_t index = 0;
  waitctx::WaitContextRef context;
  uint32_t operations_left = 0;
  bool freed = false;    // its context is
  bool restart = false;  // it ends with the operation under way, and begins with another context

  // What software makes of an operation.
  struct Reference {
    bool good = false;   // it succeeds
    bool equal = false;  // with the result that the card gave
  };
  // The operation under way; null: none.
  std::unique_ptr<engine::OperationHandle> operation;
  std::vector<std::byte> message;        // its input
  std::function<Reference()> reference;  // does the same in software
  uint64_t number = 0;                   // counted over the run
  uint32_t queue_pair = 0;
  bool in_place = false;
  bool cancelled = false;
  std::optional<hwsim::TimePoint> deadline;
  std::optional<hwsim::TimePoint> cancel_at;
  std::optional<hwsim::TimePoint> free_at;

  // How it waits, as of its last pause.
  enum class Wait : uint8_t { kNothing, kResult, kSpace };
  Wait wait = Wait::kNothing;
  bool called = false;     // back, and not resumed since
  uint32_t calls = 0;      // since it was last resumed
  bool readable = false;   // its wait fd, when last looked at
  bool twice = false;      // by a fault its wait fd may be readable once more
  bool told_seen = false;  // that it is told was seen when the line was last looked at
  bool requeued = false;   // it was told that there is space, and waits again
  bool granted = false;    // it runs because it was told that there is space
  bool tried = false;      // since time last moved

  // What it runs in: one of the two, or neither.
  std::unique_ptr<waitctx::Fibre> fibre;
  std::unique_ptr<waitctx::Task<void>> task;  // before its operation in ending

  bool paused() const {
    return task != nullptr ? task->paused() : fibre != nullptr && fibre->paused();
  }
  // Requires: paused().
  void Resume() const { task != nullptr ? task->Resume() : static_cast<void>(fibre->Resume()); }
  bool told() const { return called || readable; }
  // Its operation was cancelled, or is out of time.
  bool stopped(hwsim::TimePoint now) const { return cancelled || (deadline && *deadline <= now); }
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_JOB_H_
