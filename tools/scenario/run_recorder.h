// RunRecorder: writes down what happens in a run: events in the log, broken rules, and counts.
//
// Threads: one at a time. Ownership: the watch and its log outlive the recorder.
#ifndef GHOSTCARD_TOOLS_SCENARIO_RUN_RECORDER_H_
#define GHOSTCARD_TOOLS_SCENARIO_RUN_RECORDER_H_

#include <cstdint>
#include <string>

#include "hwsim/base/clock.h"
#include "tools/scenario/event_log.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"

namespace tools::scenario {

class RunRecorder {
 public:
  explicit RunRecorder(const ScenarioWatch& watch)
      : watch_(watch), log_(watch.log != nullptr ? *watch.log : own_log_) {}
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  // The clock of the run, for the times of events. Called once, before the first event; the clock
  // is used until the last.
  void SetClock(const hwsim::Clock& clock) { clock_ = &clock; }

  void Note(EventKind kind, const SimulatedJob& job, uint8_t detail = 0);
  void Note(EventKind kind);
  // An invariant did not hold.
  void Break(const std::string& rule);
  // Patience is over and operations are left.
  void OutOfPatience();

  EventLog& log() { return log_; }
  // What the run has come to so far. The parts of the run add their counts.
  ScenarioResult& result() { return result_; }
  uint64_t& count(const std::string& name) { return result_.counts[name]; }

 private:
  const ScenarioWatch& watch_;
  EventLog own_log_{false};
  EventLog& log_;
  const hwsim::Clock* clock_ = nullptr;
  ScenarioResult result_;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_RUN_RECORDER_H_
