// FaultContext: what the parts of ModelFaults (model_faults.h) share: the faults that struck and
// still have something to do, and the list of faults that fired.
//
// Threads: one at a time, the caller of the model.
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_CONTEXT_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_CONTEXT_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "hwsim/faults/fault_injector.h"
#include "hwsim/model/card_time.h"
#include "hwsim/model/host_interface.h"
#include "hwsim/model/model_event.h"
#include "hwsim/model/schedule.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

// Something that a fault put off to a later time of the card's.
struct DelayedAction {
  enum class Kind : uint8_t {
    kDeliver,   // a delayed response goes on
    kRepeat,    // a duplicated response arrives once more
    kRelease,   // a reordered response has waited long enough for others
    kEndStall,  // the response ring of the queue pair moves again
    kRaise,     // an interrupt rises
  };
  Kind kind{};
  uint32_t queue_pair = 0;
  ServiceUnits::Response response{};  // kDeliver, kRepeat, kRelease
};

struct FaultContext {
  // The model's, and longer-lived.
  CardTime& time;
  HostInterface& host;

  std::unordered_map<uint64_t, faults::Fault> of_requests{};  // by arrival: of requests on the card
  Schedule<DelayedAction> actions{};                          // in the card's time
  std::vector<ModelFault> fired{};                            // not taken by the driver yet

  // Records that a fault fired. `request` is kNoRequest for an interrupt and for the whole card.
  void Log(TimePoint world, const faults::Fault& fault, RequestId request, uint32_t queue_pair) {
    fired.push_back({.fault = fault,
                     .queue_pair = queue_pair,
                     .request = request,
                     .at = world,
                     .before = host.events().size()});
  }
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_CONTEXT_H_
