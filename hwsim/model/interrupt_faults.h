// InterruptFaults: what the faults of interrupts do to a line that is about to rise.
//
// Threads: one at a time, the caller of the model. Time: the card's own (card_time.h).
#ifndef GHOSTCARD_HWSIM_MODEL_INTERRUPT_FAULTS_H_
#define GHOSTCARD_HWSIM_MODEL_INTERRUPT_FAULTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "hwsim/faults/fault_injector.h"
#include "hwsim/model/fault_context.h"
#include "hwsim/model/host_interface.h"

namespace hwsim::model {

class InterruptFaults final : public HostInterface::InterruptFilter {
 public:
  // `injector`: the plan's rules for FaultSite::kInterrupt. `context` outlives this.
  InterruptFaults(faults::FaultInjector injector, uint32_t queue_pairs, FaultContext& context)
      : injector_(std::move(injector)), context_(context), coalesced_until_(queue_pairs) {}

  // Asks the rules about the line. False: the line does not rise, or a delayed action raises it.
  bool RisesNow(uint32_t queue_pair, TimePoint card) override;
  // No line waits for the end of an interrupt_coalesced any more.
  void EndCoalescing();

 private:
  void RaiseLater(uint32_t queue_pair, TimePoint card) {
    context_.actions.Add(card, {.kind = DelayedAction::Kind::kRaise, .queue_pair = queue_pair});
  }

  faults::FaultInjector injector_;
  FaultContext& context_;
  std::vector<TimePoint> coalesced_until_;  // by queue pair
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_INTERRUPT_FAULTS_H_
