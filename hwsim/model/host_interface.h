// HostInterface: the host's side of the card in the model. Requests enter here and are counted,
// completions and interrupts leave here as ModelEvents.
//
// Threads: one at a time, the caller of the model. Time: methods take the card's own time
// (card_time.h), events carry the world's. Limits: allocates nothing once its list of events has
// grown to the size that is needed.
#ifndef GHOSTCARD_HWSIM_MODEL_HOST_INTERFACE_H_
#define GHOSTCARD_HWSIM_MODEL_HOST_INTERFACE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/model/card_time.h"
#include "hwsim/model/interrupt_moderator.h"
#include "hwsim/model/model_event.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

class HostInterface {
 public:
  static constexpr TimePoint kNever = TimePoint::max();
  using Response = ServiceUnits::Response;

  // Decides about each interrupt that moderation lets pass.
  class InterruptFilter {
   public:
    virtual ~InterruptFilter() = default;
    // Returns whether the line of the queue pair rises now.
    virtual bool RisesNow(uint32_t queue_pair, TimePoint card) = 0;
  };

  // `time` outlives this. The card is idle from `start` on.
  HostInterface(const Moderation& moderation, uint32_t queue_pairs, const CardTime& time,
                TimePoint start)
      : time_(time),
        moderator_(moderation, queue_pairs),
        queue_pairs_(queue_pairs),
        idle_since_(start) {}
  HostInterface(const HostInterface&) = delete;
  HostInterface& operator=(const HostInterface&) = delete;

  // nullptr: every interrupt rises. `filter` lives until it is replaced, or as long as this.
  void set_filter(InterruptFilter* filter) { filter_ = filter; }

  // --- requests on the card: arrived, and not completed yet ---

  void Arrived(uint32_t queue_pair) {
    ++on_card_;
    ++queue_pairs_[queue_pair].on_card;
  }
  size_t on_card() const { return on_card_; }
  uint32_t on_card(uint32_t queue_pair) const { return queue_pairs_[queue_pair].on_card; }
  // When the last request left the card, in the world's time. Of use while, or just after, none was
  // on the card.
  TimePoint idle_since() const { return idle_since_; }
  // The operation of the request of the queue pair that completed last.
  operations::OperationKind last_operation(uint32_t queue_pair) const {
    return queue_pairs_[queue_pair].last_operation;
  }

  // --- what leaves the card ---

  // The request completes at response.time, and its interrupt rises if moderation and the filter
  // let it. Requires: the request is on the card. Flat, because every request passes here and
  // the compiler does not inline push_back otherwise.
  [[gnu::flatten]] void Complete(const Response& response, operations::CompletionStatus status) {
    QueuePairState& state = queue_pairs_[response.queue_pair];
    GHOSTCARD_CHECK(state.on_card != 0, "a completion without a request on the card");
    --state.on_card;
    state.last_operation = response.operation;
    const TimePoint at = time_.ToWorld(response.time);
    if (--on_card_ == 0) idle_since_ = at;
    events_.push_back({.kind = ModelEvent::Kind::kComplete,
                       .status = status,
                       .queue_pair = response.queue_pair,
                       .request = response.request,
                       .service_start = time_.ToWorld(response.service_start),
                       .at = at});
    Signal(response.queue_pair, response.time);
  }
  // The response of a request that has completed arrives once more, at response.time.
  void Repeat(const Response& response);
  // A fault raises the line, unless interrupts are off. Neither moderation nor the filter is asked.
  void RaiseByFault(uint32_t queue_pair, TimePoint card);

  // --- moderation ---

  // Off: no interrupt rises, and completions not signalled yet are forgotten.
  void SetInterrupts(bool on) { moderator_.SetOn(on); }
  // When the first moderation timer ends; kNever: none runs.
  TimePoint NextTimer() const { return moderator_.Next(); }
  // The first moderation timer ends: its line is about to rise. Requires: NextTimer() is not
  // kNever.
  void EndTimer() { EndModeration(moderator_.first(), moderator_.Next()); }
  bool HasUnsignalled(uint32_t queue_pair) const { return moderator_.HasUnsignalled(queue_pair); }
  // The completions of the queue pair are signalled now, and not after the moderation time.
  void EndModeration(uint32_t queue_pair, TimePoint card);

  // --- events, for the driver ---

  // Events that were not taken yet.
  const std::vector<ModelEvent>& events() const { return events_; }
  // Appends them to `events` and forgets them.
  void TakeEvents(std::vector<ModelEvent>& events) {
    if (events.empty()) {
      events.swap(events_);
      return;
    }
    events.insert(events.end(), events_.begin(), events_.end());
    events_.clear();
  }

 private:
  struct QueuePairState {
    uint32_t on_card = 0;
    operations::OperationKind last_operation{};
  };

  void Signal(uint32_t queue_pair, TimePoint card) {
    if (moderator_.Completed(queue_pair, card)) OfferInterrupt(queue_pair, card);
  }
  void OfferInterrupt(uint32_t queue_pair, TimePoint card) {
    if (filter_ != nullptr && !filter_->RisesNow(queue_pair, card)) return;
    events_.push_back({.kind = ModelEvent::Kind::kInterrupt,
                       .queue_pair = queue_pair,
                       .at = time_.ToWorld(card)});
  }

  const CardTime& time_;
  InterruptModerator moderator_;
  InterruptFilter* filter_ = nullptr;
  std::vector<QueuePairState> queue_pairs_;
  size_t on_card_ = 0;  // the sum over queue_pairs_
  TimePoint idle_since_;
  std::vector<ModelEvent> events_;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_HOST_INTERFACE_H_
