// ResultDamage: the faults wrong_result and verdict_inverted, from the moment they strike a request
// until the request finishes.
//
// Threads: the card's driver. Limits: one fault per request in flight.
#ifndef GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_
#define GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_

#include <unordered_map>

#include "hwsim/model/fault_injector.h"
#include "hwsim/request.h"

namespace hwsim {

class ResultDamage {
 public:
  static bool Damages(FaultKind kind) {
    return kind == FaultKind::kWrongResult || kind == FaultKind::kVerdictInverted;
  }
  // Remembers that `fault` struck `request`; the first such fault counts. Requires:
  // Damages(fault.kind).
  void Add(Request& request, const Fault& fault) { faults_.emplace(&request, fault); }
  bool empty() const { return faults_.empty(); }
  // Applies the fault to a request whose work is done, and forgets it. wrong_result flips bits of
  // the output of a request that succeeded; verdict_inverted swaps success and failed work.
  void Apply(Request& request);
  // Forgets the fault: a reset answered the request.
  void Forget(Request& request) { faults_.erase(&request); }

 private:
  std::unordered_map<Request*, Fault> faults_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_CARD_RESULT_DAMAGE_H_
