// CardCore: what RealCard and VirtualCard share. It hands arrivals to the model, completes requests
// and batches when both the model and the work are done, and posts completions and interrupts to
// each queue pair together.
//
// Threads: one thread, the driver, calls the methods above the line "Any thread".
// Time: the driver passes the time; it never runs backwards.
#ifndef GHOSTCARD_HWSIM_CARD_CARD_CORE_H_
#define GHOSTCARD_HWSIM_CARD_CARD_CORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hwsim/base/counter.h"
#include "hwsim/card/card.h"
#include "hwsim/card/card_setup.h"
#include "hwsim/card/result_damage.h"
#include "hwsim/model/card_model.h"
#include "hwsim/rings/queue_pair.h"
#include "hwsim/rings/transport.h"

namespace hwsim::card {

class CardCore {
 public:
  // When the work of requests is done.
  enum class Work : uint8_t {
    kFromArrival,   // `start_work` starts it elsewhere when the request arrives
    kOnCompletion,  // when the model completes the request, on the driver's thread
    kNone,          // never
  };
  // Starts a request's work on another thread. The driver calls WorkDone() when it is over.
  using StartWork = std::function<void(operations::Request& request, uint32_t queue_pair)>;

  // `start_work` may be empty unless the work is kFromArrival. The queue pairs outlive the core.
  CardCore(const CardSetup& setup, std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs,
           Work work, StartWork start_work);

  void Arrive(TimePoint now, std::span<const rings::Arrival> arrivals);
  // Makes everything happen that the model has due by `now`.
  void Advance(TimePoint now);
  // The work of `request` is over; `ok`: it succeeded.
  void WorkDone(TimePoint now, operations::Request& request, uint32_t queue_pair, bool ok);
  // The host resets the card. The answers to the requests come with later calls of Advance.
  void Reset(TimePoint now);
  // Posts to the queue pairs what happened since the last Flush.
  void Flush();
  // When Advance has something to do next; none: not before another arrival.
  std::optional<TimePoint> NextEvent() const { return model_.NextEvent(); }

  // Any thread. State and heartbeat are as of the driver's last call.
  std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs() const { return queue_pairs_; }
  const model::Profile& profile() const { return setup_.profile; }
  faults::FaultInjector FaultsAt(faults::FaultSite site) const {
    return FaultsOutsideCard(setup_, site);
  }
  model::CardState state() const { return state_.load(std::memory_order_acquire); }
  uint64_t Heartbeat(TimePoint now) const;
  void SetInterrupts(bool on) { interrupts_on_.store(on, std::memory_order_relaxed); }
  Card::Stats stats() const;

 private:
  // What Flush posts to a queue pair.
  struct Outbox {
    std::vector<rings::Descriptor> completions;
    bool raise = false;
    bool listed = false;       // in dirty_
    bool unsignalled = false;  // completions, posted or not, since the line was last raised
    // An interrupt fault dropped the model's interrupt: do not raise one later when the work of
    // the request finishes.
    bool muted = false;
    uint64_t repeats = 0;         // duplicated responses posted
    uint64_t last_completed = 0;  // Request::number of the model's last completion
    operations::OperationKind last_operation{};
  };

  void ArriveOne(TimePoint now, operations::Request& request, uint32_t queue_pair);
  void OnModelComplete(TimePoint now, const model::ModelEvent& event);
  void OnModelRepeat(const model::ModelEvent& event);
  void OnModelInterrupt(const model::ModelEvent& event);
  void RaiseInterrupt(uint32_t queue_pair);
  // The model's time or the work of `request` is over. Returns whether a completion was posted.
  bool EndPart(TimePoint now, operations::Request& request, uint32_t queue_pair);
  // Both are over. Returns whether a completion was posted.
  bool Finish(TimePoint now, operations::Request& request, uint32_t queue_pair);
  // Finishes requests that a reset answered, in order of submission, up to the first whose work
  // still runs. Returns whether a completion was posted.
  bool FinishReset(TimePoint now);
  // Handles the model's faults that happened before its event at `index`.
  void TakeFaults(size_t index);
  void OnFault(const model::ModelFault& fault);
  // Makes the model's state and heartbeat visible to other threads.
  void PublishState();
  // The outbox, which the next Flush then visits.
  Outbox& Dirty(uint32_t queue_pair);

  const CardSetup setup_;
  model::CardModel model_;
  bool may_fail_;               // the model has a fault plan, or was reset
  const uint32_t repeats_max_;  // duplicated responses outstanding in one queue pair
  const std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs_;
  const Work work_;
  const StartWork start_work_;
  // Relaxed: the switch orders nothing else; the driver reads it at its next Advance.
  std::atomic<bool> interrupts_on_{true};
  bool model_interrupts_ = true;

  std::vector<model::ModelEvent> events_;
  std::vector<model::ModelFault> faults_;  // taken from the model and not handled yet
  ResultDamage damage_;
  std::deque<std::pair<operations::Request*, uint32_t>>
      reset_;  // answered by a reset, with the queue pair
  std::vector<Outbox> outboxes_;
  std::vector<uint32_t> dirty_;

  // Release: a thread that sees the card down also sees the requests that it answered before.
  std::atomic<model::CardState> state_{model::CardState::kUp};
  // Relaxed: a reader may see an old value.
  std::atomic<int64_t> heartbeat_stopped_ns_{INT64_MAX};

  Counter completed_;
  Counter interrupts_;
  Counter faults_fired_;  // the model's
  Counter lateness_total_ns_;
  Counter lateness_max_ns_;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_CARD_CORE_H_
