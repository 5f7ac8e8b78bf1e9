// ResultDamage: the faults wrong_result and verdict_inverted, from the moment they strike a request
// until the request finishes.
//
// Threads: the card's driver. Limits: one fault per request in flight.
#ifndef GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_
#define GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_

#include <unordered_map>

#include "hwsim/faults/fault_injector.h"
#include "hwsim/operations/request.h"

namespace hwsim::card {

class ResultDamage {
 public:
  static bool Damages(faults::FaultKind kind) {
    return kind == faults::FaultKind::kWrongResult || kind == faults::FaultKind::kVerdictInverted;
  }
  // Remembers that `fault` struck `request`; the first such fault counts. Requires:
  // Damages(fault.kind).
  void Add(operations::Request& request, const faults::Fault& fault) {
    faults_.emplace(&request, fault);
  }
  bool empty() const { return faults_.empty(); }
  // Applies the fault to a request whose work is done, and forgets it. wrong_result flips bits of
  // the output of a request that succeeded; verdict_inverted swaps success and failed work.
  void Apply(operations::Request& request);
  // Forgets the fault: a reset answered the request.
  void Forget(operations::Request& request) { faults_.erase(&request); }

 private:
  std::unordered_map<operations::Request*, faults::Fault> faults_;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_
