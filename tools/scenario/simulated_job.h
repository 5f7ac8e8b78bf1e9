// SimulatedJob: one job or task of the simulated application, with the application's own record of
// it.
//
// Threads: the application's. Ownership: SimulatedJobs owns it.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOB_H_
#define GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/operation.h"
#include "hwsim/base/clock.h"
#include "waitctx/coroutine.h"
#include "waitctx/job.h"

namespace tools::scenario {

struct SimulatedJob {
  uint32_t index = 0;
  uint32_t queue_pair = 0;
  uint32_t operations_left = 0;  // not started yet
  waitctx::WaitContextRef context;
  bool context_freed = false;
  bool restart = false;  // the job ends after this operation and starts anew with a new context

  // What software makes of the operation's input.
  struct SoftwareResult {
    bool succeeds = false;
    bool equal = false;  // the card's result is equal to software's
  };

  // The operation under way.
  std::unique_ptr<engine::OperationHandle> operation;  // null: none is under way
  std::vector<std::byte> message;                      // its input
  std::function<SoftwareResult()> run_in_software;
  uint64_t number = 0;  // counted over the run
  bool in_place = false;
  bool cancelled = false;
  std::optional<hwsim::TimePoint> deadline;
  std::optional<hwsim::TimePoint> cancel_at;
  std::optional<hwsim::TimePoint> free_at;

  // What the job waits for, as of its last pause.
  enum class Wait : uint8_t { kNothing, kResult, kSpace };
  Wait wait = Wait::kNothing;

  // How the job was notified since it was last resumed.
  bool callback_ran = false;
  uint32_t callbacks = 0;
  bool readable = false;  // the wait fd, when the application last polled it

  bool stale_signal = false;     // a wait_fd_twice fault may signal the wait fd after the resume
  bool notified_seen = false;    // the invariants have seen that the job was notified
  bool requeued = false;         // the job was told of a free slot and waits for space again
  bool granted = false;          // the job runs because it was told of a free slot
  bool tried_this_time = false;  // resumed without a notification since time last moved

  // The job or the task; both are null before the start.
  std::unique_ptr<waitctx::Fibre> fibre;
  std::unique_ptr<waitctx::Task<void>> task;  // declared after `operation`: it is destroyed first

  bool paused() const {
    return task != nullptr ? task->paused() : fibre != nullptr && fibre->paused();
  }
  // Requires: paused().
  void Resume() const { task != nullptr ? task->Resume() : static_cast<void>(fibre->Resume()); }
  bool notified() const { return callback_ran || readable; }
  // Whether the operation was cancelled or is past its deadline.
  bool stopped(hwsim::TimePoint now) const { return cancelled || (deadline && *deadline <= now); }
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOB_H_
