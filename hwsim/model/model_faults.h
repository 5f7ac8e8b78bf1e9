// ModelFaults: the faults of a plan inside the model: the rules that look at each request as it
// arrives, and the faults of the card as a whole. What faults do to services, responses and
// interrupts is in service_faults.h, response_faults.h and interrupt_faults.h.
//
// CardModel's event loop has this part only when something can go wrong: the profile has a plan, or
// the host resets the card. The loop calls it; this never runs ahead of the loop.
//
// Threads: one at a time, the caller of the model. Time: the world's, except where a method says
// the card's (card_time.h).
#ifndef GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_
#define GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "hwsim/faults/fault_injector.h"
#include "hwsim/model/card_state.h"
#include "hwsim/model/card_time.h"
#include "hwsim/model/fault_context.h"
#include "hwsim/model/host_interface.h"
#include "hwsim/model/interrupt_faults.h"
#include "hwsim/model/response_faults.h"
#include "hwsim/model/schedule.h"
#include "hwsim/model/service_faults.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

class ModelFaults {
 public:
  // The model may be under way: requests may be on the card. `time`, `units` and `host` are the
  // model's and outlive this; ModelFaults enters itself as their slowness and filter.
  ModelFaults(const faults::FaultPlan& plan, uint32_t queue_pairs, uint64_t seed, TimePoint start,
              CardTime& time, ServiceUnits& units, HostInterface& host);
  ModelFaults(const ModelFaults&) = delete;
  ModelFaults& operator=(const ModelFaults&) = delete;

  // A request arrives: the rules look at it. True: the caller hands it to the service units.
  // False: the card is down, and the request is answered here. Requires: everything before `now`
  // has happened, and `host` has counted the request.
  [[nodiscard]] bool Admit(TimePoint now, const ServiceUnits::Waiting& request,
                           uint32_t queue_pair);
  // A response has left the service units.
  void Deliver(const ServiceUnits::Response& response) { responses_.Deliver(response); }

  // When the next delayed action is due, in the card's time; kNever: there is none.
  TimePoint NextAction() const { return context_.actions.next(); }
  void DoNextAction();
  // When the card as a whole changes next; kNever: it does not.
  TimePoint NextChange() const { return changes_.next(); }
  void DoNextChange();
  // Whether nothing moves on the card until the next change: it hangs, or has a fatal error.
  bool halted() const { return context_.time.frozen() || state_ == CardState::kFatalError; }

  // The card goes down for `time`. Nothing happens unless the card is up.
  void Reset(TimePoint now, Duration time);

  // Appends the faults that fired since the last call, in order.
  void TakeFaults(std::vector<ModelFault>& faults);
  CardState state() const { return state_; }
  // Since when the heartbeat stands still; kNever: it beats.
  TimePoint heartbeat_stopped() const;

 private:
  static constexpr TimePoint kNever = TimePoint::max();
  // A change of the card as a whole.
  struct CardChange {
    enum class Kind : uint8_t {
      kFault,      // a rule of the plan fires by the clock
      kThaw,       // a hang ends
      kRestart,    // the card begins to restart, and answers what it had
      kRestarted,  // the card is up again
      kEndAlarm,   // a heartbeat_false_alarm ends
    };
    Kind kind{};
    faults::Fault fault{};  // kFault
    uint64_t episode = 0;   // kThaw, kEndAlarm: the number of the hang or alarm that ends
  };

  void Strike(TimePoint now, const faults::Fault& fault, uint64_t arrival, uint32_t queue_pair);
  void StrikeCard(TimePoint now, const faults::Fault& fault);
  void Hang(TimePoint now, Duration time);
  void StopHeartbeat(TimePoint now, Duration time);
  void GoDown(TimePoint now, CardState state);
  // Completes every request on the card with kCardReset, in order of arrival.
  void AnswerAll(TimePoint now);

  ServiceUnits& units_;
  FaultContext context_;
  faults::FaultInjector arrivals_;
  ServiceFaults services_;
  ResponseFaults responses_;
  InterruptFaults interrupts_;
  const uint32_t queue_pairs_;

  Schedule<CardChange> changes_;
  CardState state_ = CardState::kUp;
  std::optional<TimePoint> down_since_;
  std::optional<TimePoint> alarm_since_;
  uint64_t episodes_ = 0;  // hangs and alarms so far
  uint64_t hang_episode_ = 0;
  uint64_t alarm_episode_ = 0;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_
