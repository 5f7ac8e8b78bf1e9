// TurnLoop: the event loop of the simulated application. A turn polls the engine, resumes the jobs
// that are ready, and lets time pass when there was nothing to do.
//
// Threads: one. Ownership: what the constructor takes outlives the loop. Time: only turns and
// StepTo move the virtual clock.
#ifndef GHOSTCARD_TOOLS_SCENARIO_TURN_LOOP_H_
#define GHOSTCARD_TOOLS_SCENARIO_TURN_LOOP_H_

#include <cstdint>
#include <optional>

#include "hwsim/base/clock.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_jobs.h"
#include "tools/scenario/simulated_system.h"

namespace tools::scenario {

class TurnLoop {
 public:
  TurnLoop(const ScenarioOptions& options, SimulatedSystem& system, SimulatedJobs& jobs);
  TurnLoop(const TurnLoop&) = delete;
  TurnLoop& operator=(const TurnLoop&) = delete;

  // What the caller does after a turn.
  enum class [[nodiscard]] Answer : uint8_t{
      kProgress,       // takes another turn, while jobs are paused
      kFaultsOver,     // ends the phase of faults: faults_end is reached. Comes once
      kOutOfPatience,  // cancels what is left
  };
  Answer Turn();

  // Moves the clock to `to`, and makes everything due by then happen at the card.
  void AdvanceTo(hwsim::TimePoint to);
  // Moves the clock to the next event of card or engine, but not past `to`. Returns false when the
  // clock is at `to` already.
  bool StepTo(hwsim::TimePoint to);

  // When patience is over.
  hwsim::TimePoint end() const { return end_; }

 private:
  // Turns without a step of time. No scenario has so much to do at one time.
  static constexpr uint32_t kTurnsMax = 100'000;

  struct Polled {
    bool any = false;      // completions were found
    bool certain = false;  // the engine looked for completions
  };
  Polled Poll();
  Polled PollOnInterrupt();
  // `futile`: jobs were resumed in vain, so that the turn is not to be repeated at the same time.
  Answer PassTime(bool futile);
  hwsim::TimePoint NextEvent(bool futile);
  hwsim::TimePoint Now() const { return system_.Now(); }

  const ScenarioOptions& options_;
  SimulatedSystem& system_;
  SimulatedJobs& jobs_;
  const hwsim::TimePoint end_;
  uint32_t turns_ = 0;           // since time last moved
  bool contexts_freed_ = false;  // free_contexts_at has passed
  // For ScenarioPoll::kOnInterrupt.
  bool poll_due_ = true;  // the watchdog is due, or completions waited when the line was armed
  hwsim::TimePoint last_watchdog_{};
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_TURN_LOOP_H_
