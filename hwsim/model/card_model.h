// CardModel: the card as a pure state machine. It is told "request arrived at t"
// and "time is now t", and answers "next event at t" and "these complete".
//
// Threads: none; whoever drives it. Time: none of its own, and it never runs
// backwards. Random: all from the seed, so the same calls give the same answers.
// Limits: memory for the most requests that were ever pending at once, none taken
// in steady state without faults; no call blocks; a request costs the same however many wait.
//
//   Arrive() -> waiting (one FIFO per queue pair, round robin between them; who is
//               kept back by its operation's rate cap keeps his place in the turns,
//               holds no engine, and lets the other queue pairs pass)
//            -> on an engine for its service time
//            -> in transit -> complete, in order of due time; ties in order of arrival
//
// Faults of the profile's plan strike on the way (model_faults.h).
//
// The model runs in its own time: a call that comes late finds what an earlier one
// would have found, each event with the time when it happened.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hwsim/model/card_state.h"
#include "hwsim/model/fault_injector.h"
#include "hwsim/model/profile.h"

namespace hwsim {

// Names a request to the model, which never looks behind it.
using RequestId = uint64_t;
inline constexpr RequestId kNoRequest = UINT64_MAX;

struct ModelEvent {
  enum class Kind : uint8_t {
    kComplete,
    kRepeat,     // the response of a request that has completed comes once more
    kInterrupt,  // the line of a queue pair rises
  };
  Kind kind = Kind::kComplete;
  CompletionStatus status = CompletionStatus::kOk;  // kComplete: as far as the card itself goes
  bool for_nothing = false;  // kInterrupt: whether or not there is a completion to signal
  uint32_t queue_pair = 0;
  RequestId request = 0;      // kComplete, kRepeat (where it may be gone already)
  TimePoint service_start{};  // kComplete
  TimePoint at{};             // when it happens
};

// A fault that fired.
struct ModelFault {
  Fault fault;
  uint32_t queue_pair = 0;
  RequestId request = kNoRequest;  // that it hit; none: an interrupt's, or the card's as a whole
  TimePoint at{};
  size_t before = 0;  // its place: so many events of those that the next Advance gives come first
};

class CardModel {
 public:
  // `start`: what the times of the fault plan count from; nothing is told an earlier time.
  // Requires: profile.Validate() holds, 1 <= queue_pairs <= profile.queue_pairs_max.
  CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start = {});
  ~CardModel();
  CardModel(const CardModel&) = delete;
  CardModel& operator=(const CardModel&) = delete;

  // A request has arrived. Of what happens at `now` itself, engines becoming free come
  // before arrivals. Requires: `now` not before any time given earlier, and not negative.
  void Arrive(TimePoint now, RequestId request, uint32_t queue_pair, OperationKind operation,
              uint32_t size_bytes);

  // Before this, Advance has nothing to give; none: not before another request arrives.
  // While requests wait for an engine it may be early, and the Advance at that time
  // gives nothing; the next answer is later then.
  std::optional<TimePoint> NextEvent() const;

  // Appends what happens up to and at `now`, in order of time; ties in order of arrival.
  // A completion precedes the interrupt that it causes.
  void Advance(TimePoint now, std::vector<ModelEvent>& events);

  // Requests arrived and not yet completed.
  size_t pending() const;

  // Whether the model raises interrupts at all (polled queue pairs turn it off; default on).
  // Turning it off forgets completions that were to be signalled.
  void SetInterrupts(bool on);

  // The host resets the card: down for `time`; everything on it is answered with kCardReset half
  // way. Nothing happens unless the card is up.
  void Reset(TimePoint now, Duration time);
  CardState state() const;
  // Since when the heartbeat stands still; none: it does not.
  std::optional<TimePoint> heartbeat_stopped() const;

  // Whether there is anything in the three above or in TakeFaults: a plan, or a Reset.
  bool may_fail() const;
  // Appends the faults that fired since it was last asked, in order.
  void TakeFaults(std::vector<ModelFault>& faults);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
