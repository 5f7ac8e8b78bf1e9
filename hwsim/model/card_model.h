// CardModel: the card as a pure state machine with one event loop. The driver tells it "this
// request arrives at t" and "it is t now"; the model answers "the next event is at t" and "these
// requests complete, these interrupts rise".
//
// Threads: none; one driver at a time. Time: none of its own. The driver gives it with each call,
// and it never runs backwards. Random: all from the seed, so equal calls give equal answers.
// Limits: memory for the most requests that were ever on the card at once, and none taken after
// that unless faults strike. No call blocks. A request costs the same however many others wait.
//
//   Arrive -> service units (service_units.h): waits, is served, is in transit
//          -> faults, if there are any (model_faults.h): drop, delay, repeat ...
//          -> host interface (host_interface.h): completes, in order of due time; ties in order
//             of arrival; an interrupt may rise
//
// It does not matter how late the driver calls: each event carries the time at which it happened.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hwsim/model/card_state.h"
#include "hwsim/model/model_event.h"
#include "hwsim/model/profile.h"

namespace hwsim::model {

class CardModel {
 public:
  // `start`: the times of the fault plan count from here. No later call gives an earlier time.
  // Requires: profile.Validate() holds, 1 <= queue_pairs <= profile.queue_pairs_max.
  CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start = {});
  ~CardModel();
  CardModel(const CardModel&) = delete;
  CardModel& operator=(const CardModel&) = delete;

  // A request arrives. A service unit that becomes free at `now` is free for it. Requires: `now` is
  // not negative and not before the time of any earlier call; queue_pair < queue_pairs.
  void Arrive(TimePoint now, RequestId request, uint32_t queue_pair,
              operations::OperationKind operation, uint32_t size_bytes);

  // The time at which to call Advance next: no event happens before it. nullopt: no event happens
  // before another request arrives. While requests wait for a service unit the answer may be early:
  // Advance then gives nothing, and the next answer is later.
  std::optional<TimePoint> NextEvent() const;

  // Appends what happens up to and at `now`, in order of time; ties in order of arrival. A
  // completion comes before the interrupt that it causes. Requires: as Arrive.
  void Advance(TimePoint now, std::vector<ModelEvent>& events);

  // Requests that arrived and whose completion Advance has not given yet: of the card, or of one
  // queue pair.
  size_t pending() const;
  size_t pending(uint32_t queue_pair) const;

  // Whether interrupts are raised at all; at first they are. Off is for polled queue pairs: it also
  // forgets the completions that no interrupt has signalled yet.
  void SetInterrupts(bool on);

  // The host resets the card: it is down for `time`, and half way it answers every request that it
  // has with kCardReset. Nothing happens unless the card is up. Requires: as Arrive.
  void Reset(TimePoint now, Duration time);
  CardState state() const;
  // Since when the heartbeat stands still; nullopt: it beats.
  std::optional<TimePoint> heartbeat_stopped() const;

  // False: the three above and TakeFaults have nothing to tell. True once there is a plan with
  // faults of the model, or after a Reset.
  bool may_fail() const;
  // Appends the faults that fired since the last call, in order.
  void TakeFaults(std::vector<ModelFault>& faults);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
