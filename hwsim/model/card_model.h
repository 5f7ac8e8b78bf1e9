// CardModel: the card as a pure state machine. It is told "request arrived at t"
// and "time is now t", and answers "next event at t" and "these complete".
//
// Threads: none; whoever drives it. Time: none of its own, and it never runs
// backwards. Random: all from the seed, so the same calls give the same answers.
// Limits: at most engines + pending requests in memory; no call blocks.
//
//   Arrive() -> waiting (one FIFO per queue pair, round robin between them)
//            -> on an engine for its service time (not before the rate cap allows)
//            -> in transit -> complete, in order of due time
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hwsim/model/profile.h"

namespace hwsim {

// Names a request to the model, which never looks behind it.
using RequestId = uint64_t;

struct ModelEvent {
  enum class Kind : uint8_t { kComplete, kInterrupt };
  Kind kind = Kind::kComplete;
  CompletionStatus status = CompletionStatus::kOk;  // kComplete: as far as the card itself goes
  uint32_t queue_pair = 0;
  RequestId request = 0;      // kComplete
  TimePoint service_start{};  // kComplete
  TimePoint at{};             // when it happens
};

class CardModel {
 public:
  // Requires: profile.Validate() holds, 1 <= queue_pairs <= profile.queue_pairs_max.
  CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed);
  ~CardModel();
  CardModel(const CardModel&) = delete;
  CardModel& operator=(const CardModel&) = delete;

  // A request has arrived. Requires: `now` not before any time given earlier; all
  // events due before `now` have been taken with Advance(now).
  void Arrive(TimePoint now, RequestId request, uint32_t queue_pair, OperationKind operation,
              uint32_t size_bytes);

  // When Advance has something to do; none: nothing is pending.
  std::optional<TimePoint> NextEvent() const;

  // Appends what happens up to and at `now`, in order of time. At one instant services end in the
  // order in which they began, and requests complete in the order in which they left their engines.
  // A completion precedes the interrupt that it causes.
  void Advance(TimePoint now, std::vector<ModelEvent>& events);

  // Requests arrived and not yet completed.
  size_t pending() const;

  // Whether the model raises interrupts at all (polled queue pairs turn it off; default on).
  // What is not signalled yet when they go off, and what completes while they are off, never is:
  // who turns them on again looks for completions afterwards.
  void SetInterrupts(bool on);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_MODEL_H_
