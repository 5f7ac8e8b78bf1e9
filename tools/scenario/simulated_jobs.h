// SimulatedJobs: the jobs or tasks of the simulated application. It starts them, runs their
// operations, notices their notifications and resumes them.
//
// Threads: one, the caller's. A callback may run on another thread while the caller waits for it.
// Ownership: what the constructor takes outlives this object. It ends before the system, since
// operations may be on the card.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOBS_H_
#define GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOBS_H_

#include <poll.h>

#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/fd.h"
#include "tools/scenario/operation_mix.h"
#include "tools/scenario/run_recorder.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"
#include "tools/scenario/simulated_system.h"
#include "waitctx/coroutine.h"

namespace tools::scenario {

class SimulatedJobs {
 public:
  SimulatedJobs(const ScenarioOptions& options, SimulatedSystem& system, RunRecorder& recorder)
      : options_(options),
        system_(system),
        recorder_(recorder),
        mix_(options, system.random()),
        thread_(std::this_thread::get_id()) {}
  SimulatedJobs(const SimulatedJobs&) = delete;
  SimulatedJobs& operator=(const SimulatedJobs&) = delete;

  // Starts a job that runs `operations` operations on the queue pair.
  void Add(uint32_t queue_pair, uint32_t operations);
  // Runs all operations one after the other without jobs, each waited for in place.
  void RunWithoutJobs();

  // Cancels and frees contexts as the jobs' random times say.
  void CancelAndFreeDue();
  // Polls the wait fds of all paused jobs.
  void PollWaitFds();
  struct Resumed {
    bool any = false;     // a job went on
    bool futile = false;  // a notified job was left for another turn, or found no space
  };
  // Resumes each job that was notified or has to try by itself, and some for no reason.
  Resumed ResumeReady();
  // Starts anew the jobs whose context was freed in an operation that has ended. Returns whether
  // there was one.
  bool RestartFreed();
  void FreeAllContexts();
  // Cancels every operation and resumes its job until the job has finished.
  void CancelAll();
  // Closes the wait contexts. Requires: AllFinished().
  void CloseContexts();
  // At the end of the run: checks that no wait fd was signalled after its context was freed.
  void CheckNoFreedFdSignalled() const;
  // At the end of the run: checks that each operation ended once.
  void CheckAllEnded() const;

  // Time has moved: jobs that try by themselves may try again.
  void OnTimeMoved();
  // When a job has something to do by itself, no later than `end`.
  hwsim::TimePoint NextEvent(hwsim::TimePoint end) const;

  bool AllFinished() const;
  size_t paused_count() const;
  const std::deque<SimulatedJob>& all() const { return jobs_; }

 private:
  // What a job's callback is given.
  struct CallbackTarget {
    SimulatedJobs* jobs;
    SimulatedJob* job;
  };

  // Runs of a job.
  void Start(SimulatedJob& job);
  // Whether the job goes on to another operation, which is then taken off those left.
  bool TakeNext(SimulatedJob& job) const;
  waitctx::Task<void> RunTask(SimulatedJob& job);
  waitctx::Task<void> RunOneInTask(SimulatedJob& job);
  void RunOne(SimulatedJob& job);
  void OnStopped(SimulatedJob& job);
  void Resume(SimulatedJob& job);
  static void ForgetPause(SimulatedJob& job);

  // Operations.
  engine::RunOptions BeginOne(SimulatedJob& job);
  void SetTimes(SimulatedJob& job);
  hwsim::TimePoint DrawTimeSoon();
  void EndOne(SimulatedJob& job, engine::Outcome outcome);

  // Notifications.
  void OnCallback(SimulatedJob& job);
  static bool TriesByItself(const SimulatedJob& job);
  bool IsReady(SimulatedJob& job, Resumed& resumed);

  // The application's interventions.
  void DestroyTask(SimulatedJob& job);
  void FreeContext(SimulatedJob& job);
  void CancelOne(SimulatedJob& job);

  bool in_liveness_phase() const { return system_.phase() == ScenarioPhase::kLiveness; }
  hwsim::TimePoint Now() const { return system_.Now(); }

  const ScenarioOptions& options_;
  SimulatedSystem& system_;
  RunRecorder& recorder_;
  OperationMix mix_;
  const std::thread::id thread_;
  std::deque<CallbackTarget> callback_targets_;
  std::deque<SimulatedJob> jobs_;
  // Duplicates that took the number of a freed wait fd. None may ever be signalled.
  std::vector<hwsim::UniqueFd> sentinels_;
  std::vector<pollfd> polled_;
  std::vector<SimulatedJob*> polled_jobs_;
  uint64_t started_ = 0;  // operations
  uint64_t ended_ = 0;
  bool cancelling_all_ = false;  // patience is over: "cancelled" counts as "stuck" too
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SIMULATED_JOBS_H_
