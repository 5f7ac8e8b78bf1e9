// CardCore: what both kinds of card have in common. It hands arrivals to the
// model, completes requests and batches when the model and the work are done, and
// posts completions and interrupts to each queue pair in one go.
//
// Threads: one drives it; SetInterrupts and stats from any. Time: what it is told.
#ifndef GHOSTCARD_HWSIM_CARD_CORE_H_
#define GHOSTCARD_HWSIM_CARD_CORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hwsim/base/counter.h"
#include "hwsim/card.h"
#include "hwsim/model/card_model.h"
#include "hwsim/model/fault_log.h"
#include "hwsim/queue_pair.h"
#include "hwsim/rings/transport.h"

namespace hwsim {

class CardCore {
 public:
  // When the work of requests is done, beside their modelled time.
  enum class Work : uint8_t {
    kElsewhere,     // from their arrival on, by whoever `start_work` gives it to
    kOnCompletion,  // when the model completes them, on the driver's thread
    kNone,          // not at all
  };
  // Takes a request's work away; WorkDone() is told when it is over.
  using StartWork = std::function<void(Request& request, uint32_t queue_pair)>;

  // What both kinds of card are made of.
  struct Plan {
    const Profile& profile;
    uint64_t seed = 1;
    TimePoint start{};  // the times of faults count from here
    FaultLog& fault_log;
  };

  // `start_work` may be empty unless the work is done elsewhere.
  CardCore(const Plan& plan, std::span<const std::unique_ptr<QueuePair>> queue_pairs, Work work,
           StartWork start_work);

  void Arrive(TimePoint now, std::span<const Arrival> arrivals);
  // What the model has due by `now` happens.
  void Advance(TimePoint now);
  void WorkDone(TimePoint now, Request& request, uint32_t queue_pair, bool ok);
  // Tells the queue pairs what happened since the last Flush.
  void Flush();

  std::optional<TimePoint> NextEvent() const { return model_.NextEvent(); }

  // The host's reset. What follows from it comes with Advance.
  void Reset(TimePoint now);
  // Any thread. As of what the driver has told the core so far.
  CardState state() const { return state_.load(std::memory_order_acquire); }
  uint64_t Heartbeat(TimePoint now) const;

  void SetInterrupts(bool on) { interrupts_on_.store(on, std::memory_order_relaxed); }
  Card::Stats stats() const;

 private:
  // What Flush has to tell a queue pair.
  struct Outbox {
    std::vector<Descriptor> completions;
    bool raise = false;
    bool listed = false;       // in dirty_
    bool unsignalled = false;  // completions, posted or not, since the line last was to rise
    // Of faults. The model, which raised for a request whose work was not done yet, lost that one.
    bool muted = false;
    uint64_t repeats = 0;         // responses posted once more
    uint64_t last_completed = 0;  // Request::number, by the model
    OperationKind last_operation{};
  };
  void ArriveOne(TimePoint now, Request& request, uint32_t queue_pair);
  void OnModelComplete(TimePoint now, const ModelEvent& event);
  void OnModelInterrupt(const ModelEvent& event);
  void OnInterrupt(uint32_t queue_pair);
  // One of the request's parts is over. Returns whether that put a completion in the outbox.
  bool PartOver(TimePoint now, Request& request, uint32_t queue_pair);
  // All of them are. Likewise.
  bool Finish(TimePoint now, Request& request, uint32_t queue_pair);

  // Faults.
  void OnRepeat(const ModelEvent& event);
  // Those that the model had before the event at `index`.
  void TakeFaults(size_t index);
  void OnFault(const ModelFault& fault);
  // Does to a finished request what its fault says.
  void Damage(Request& request);
  // Finishes requests answered by a reset, in their order, as far as their work is over. Likewise.
  bool FinishReset(TimePoint now);
  void PublishState();
  Outbox& Dirty(uint32_t queue_pair);

  CardModel model_;
  bool may_fail_;  // the model may: it has a plan, or was reset
  const TimePoint start_;
  const Health health_;
  const uint32_t repeats_max_;  // outstanding in one queue pair
  FaultLog& fault_log_;
  const std::span<const std::unique_ptr<QueuePair>> queue_pairs_;
  const Work work_;
  const StartWork start_work_;
  // Relaxed: a switch without a moment of its own; the driver looks at it as it goes.
  std::atomic<bool> interrupts_on_{true};
  bool model_interrupts_ = true;

  std::vector<ModelEvent> events_;
  std::vector<ModelFault> faults_;                   // not dealt with yet
  std::unordered_map<Request*, Fault> to_damage_;    // requests on the card
  std::deque<std::pair<Request*, uint32_t>> reset_;  // answered by a reset, with the queue pair
  std::vector<Outbox> outboxes_;
  std::vector<uint32_t> dirty_;

  // Release: who sees the card down sees the requests that it answered before.
  std::atomic<CardState> state_{CardState::kUp};
  std::atomic<int64_t> heartbeat_stopped_ns_{INT64_MAX};  // relaxed: a reading that may be old

  Counter completed_;
  Counter interrupts_;
  Counter faults_fired_;  // those of the model
  Counter lateness_total_ns_;
  Counter lateness_max_ns_;
};

// What both kinds check before they begin: queue pairs and depth against the profile.
// Fills in the depth where it is 0.
Expected<void> CheckCardOptions(const Profile& profile, uint32_t queue_pairs, uint32_t* depth);

// How many of the queue pairs asked for there are instances for. None: an error that says so.
Expected<uint32_t> OpenableQueuePairs(const CardCore::Plan& plan, uint32_t queue_pairs);
// The queue pair with its share of the fault plan, which draws from a stream of its own. `clock`
// outlives it.
QueuePair::Options QueuePairOptions(const CardCore::Plan& plan, uint32_t index, uint32_t depth,
                                    const Clock& clock);
// The plan's share at a site of the host's.
FaultInjector PlanAt(const CardCore::Plan& plan, FaultSite site);
// How deep its completion ring is to be.
uint32_t CompletionRingDepth(const Profile& profile, uint32_t depth);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_CARD_CORE_H_
