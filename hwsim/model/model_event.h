// ModelEvent and ModelFault: what CardModel (card_model.h) tells its driver.
//
// Threads: values. Time: the driver's clock.
#ifndef GHOSTCARD_HWSIM_MODEL_MODEL_EVENT_H_
#define GHOSTCARD_HWSIM_MODEL_MODEL_EVENT_H_

#include <cstddef>
#include <cstdint>

#include "hwsim/faults/fault_injector.h"
#include "hwsim/operations/request.h"

namespace hwsim::model {

// The driver's name for a request. The model only hands it back.
using RequestId = uint64_t;
inline constexpr RequestId kNoRequest = UINT64_MAX;

struct ModelEvent {
  enum class Kind : uint8_t {
    kComplete,   // a request completes
    kRepeat,     // the response of a completed request arrives once more
    kInterrupt,  // the interrupt line of a queue pair rises
  };
  Kind kind = Kind::kComplete;
  operations::CompletionStatus status =
      operations::CompletionStatus::kOk;  // kComplete: the card's verdict, not the work's
  bool for_nothing = false;  // kInterrupt: raised by a fault; there may be no new completion
  uint32_t queue_pair = 0;
  RequestId request = 0;      // kComplete and kRepeat; after kComplete the driver may have freed it
  TimePoint service_start{};  // kComplete
  TimePoint at{};             // when it happens
};

// A fault that fired.
struct ModelFault {
  faults::Fault fault;
  uint32_t queue_pair = 0;
  // The request that the fault hit. kNoRequest: it hit an interrupt or the whole card.
  RequestId request = kNoRequest;
  TimePoint at{};
  size_t before = 0;  // how many events of the next Advance come before this fault
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_MODEL_EVENT_H_
