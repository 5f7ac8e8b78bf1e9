// RecoveryPhase: the end of a run. It ends the faults, proves that every slot of the card can be
// used again, cancels what is left when patience is over, and checks that nothing stays behind.
//
// Threads: one. Ownership: what the constructor takes outlives this object.
#ifndef GHOSTCARD_TOOLS_SCENARIO_RECOVERY_PHASE_H_
#define GHOSTCARD_TOOLS_SCENARIO_RECOVERY_PHASE_H_

#include "hwsim/base/clock.h"
#include "tools/scenario/run_recorder.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_jobs.h"
#include "tools/scenario/simulated_system.h"
#include "tools/scenario/turn_loop.h"

namespace tools::scenario {

class RecoveryPhase {
 public:
  RecoveryPhase(const ScenarioOptions& options, SimulatedSystem& system, SimulatedJobs& jobs,
                TurnLoop& loop, RunRecorder& recorder)
      : options_(options), system_(system), jobs_(jobs), loop_(loop), recorder_(recorder) {}
  RecoveryPhase(const RecoveryPhase&) = delete;
  RecoveryPhase& operator=(const RecoveryPhase&) = delete;

  // Takes turns until every job has finished, and does after each what the turn's answer asks for.
  void RunUntilFinished();
  // With the faults over and everything ended, runs one operation in every slot of the card. Each
  // has to succeed. Requires: `faults_end` is set, all jobs have finished, !out_of_patience().
  void RunLivenessPhase();
  // Lets the card and the engine finish what was given up, then checks that nothing is left behind
  // and counts. Requires: all jobs have finished.
  void FinishAndCheck();

  // Whether patience was over before every operation ended.
  bool out_of_patience() const { return out_of_patience_; }

 private:
  void EndFaults();
  void OnOutOfPatience();
  // Whether a fault may have left the card in a state that the engine is not told to repair.
  bool NeedsOperatorReset() const;
  // When the heartbeat moves again after every false alarm. The engine may reset the card before.
  hwsim::TimePoint FalseAlarmsEnd() const;
  // Lets time pass until nothing is in flight and the card is up or lost. Returns false when
  // patience is over before.
  bool WaitUntilQuiet();
  bool IsQuiet() const;
  void Count();

  const ScenarioOptions& options_;
  SimulatedSystem& system_;
  SimulatedJobs& jobs_;
  TurnLoop& loop_;
  RunRecorder& recorder_;
  bool out_of_patience_ = false;
};

// Takes the faults that fired from the card and the invariants into the recorder's result.
void CountFaults(SimulatedSystem& system, RunRecorder& recorder);

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_RECOVERY_PHASE_H_
