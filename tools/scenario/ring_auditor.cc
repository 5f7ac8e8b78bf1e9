#include "tools/scenario/ring_auditor.h"

#include <utility>

namespace tools::scenario {

using hwsim::model::CardState;
using hwsim::operations::CompletionStatus;
using hwsim::operations::Request;
using hwsim::rings::Descriptor;

// A channel that passes everything on and tells the auditor of it.
class RingAuditor::WatchedChannel final : public hwsim::rings::Channel {
 public:
  WatchedChannel(RingAuditor& auditor, uint32_t queue_pair,
                 std::unique_ptr<hwsim::rings::Channel> channel)
      : auditor_(auditor), queue_pair_(queue_pair), channel_(std::move(channel)) {}

  size_t Push(std::span<const Descriptor> descriptors) override {
    // Recorded before the push: a fault on arrival may complete the request within it.
    for (const Descriptor descriptor : descriptors) auditor_.OnPush(queue_pair_, descriptor);
    return channel_->Push(descriptors);
  }
  size_t Pop(std::span<Descriptor> out) override {
    const size_t count = channel_->Pop(out);
    for (const Descriptor descriptor : out.first(count)) auditor_.OnPop(queue_pair_, descriptor);
    return count;
  }
  int interrupt_fd() const override { return channel_->interrupt_fd(); }
  bool Arm() override { return channel_->Arm(); }
  void Disarm() override { channel_->Disarm(); }
  void Complete(std::span<const Descriptor> descriptors, bool raise) override {
    for (const Descriptor descriptor : descriptors) auditor_.OnComplete(queue_pair_, descriptor);
    if (raise) auditor_.OnInterrupt(queue_pair_);
    channel_->Complete(descriptors, raise);
  }
  void Raise() override {
    auditor_.OnInterrupt(queue_pair_);
    channel_->Raise();
  }

 private:
  RingAuditor& auditor_;
  const uint32_t queue_pair_;
  const std::unique_ptr<hwsim::rings::Channel> channel_;
};

std::unique_ptr<hwsim::rings::Channel> RingAuditor::Watch(
    uint32_t queue_pair, std::unique_ptr<hwsim::rings::Channel> channel) {
  if (queue_pairs_.size() <= queue_pair) queue_pairs_.resize(queue_pair + 1);
  return std::make_unique<WatchedChannel>(*this, queue_pair, std::move(channel));
}

void RingAuditor::Start(const hwsim::card::Card& card, uint32_t depth) {
  card_ = &card;
  depth_ = depth;
}

bool RingAuditor::Has(const Request& request) const {
  for (const QueuePair& queue_pair : queue_pairs_) {
    if (queue_pair.on_card.contains(&request)) return true;
  }
  return false;
}

uint64_t RingAuditor::in_flight() const {
  uint64_t total = 0;
  for (const QueuePair& queue_pair : queue_pairs_) total += queue_pair.on_card.size();
  return total;
}

void RingAuditor::Note(EventKind kind, uint32_t queue_pair, uint64_t number, uint8_t detail) {
  log_.Append({.at = card_->clock().Now(),
               .number = number,
               .index = queue_pair,
               .kind = kind,
               .detail = detail});
}

void RingAuditor::Break(uint32_t queue_pair, uint64_t number, const std::string& rule) {
  on_broken_("queue pair " + std::to_string(queue_pair) + ", request " + std::to_string(number) +
             ": " + rule);
}

namespace {

// Calls handle(request) for the descriptor's request, or for each member of its batch.
template <typename Handle>
void ForEach(Descriptor descriptor, Handle handle) {
  Request* request = descriptor.request();
  if (!descriptor.is_batch()) {
    handle(*request);
    return;
  }
  while (request != nullptr) {
    Request* const next = request->next_in_batch;
    handle(*request);
    request = next;
  }
}

}  // namespace

void RingAuditor::OnPush(uint32_t queue_pair, Descriptor descriptor) {
  ForEach(descriptor, [&](const Request& request) { PushRequest(queue_pair, request); });
}

void RingAuditor::PushRequest(uint32_t queue_pair, const Request& request) {
  Note(EventKind::kPushed, queue_pair, request.number, static_cast<uint8_t>(request.kind));
  if (Has(request)) Break(queue_pair, request.number, "accepted while the card already has it");
  if (card_->state() != CardState::kUp) {
    Break(queue_pair, request.number, "accepted by a card that is down");
  }
  auto& on_card = queue_pairs_[queue_pair].on_card;
  on_card[&request] = {.number = request.number, .pushed = card_->clock().Now()};
  ++counts_.accepted;
  if (on_card.size() > depth_) {
    Break(queue_pair, request.number,
          std::to_string(on_card.size()) + " requests in flight; the depth is " +
              std::to_string(depth_));
  }
  on_pushed_(queue_pair, request);
}

void RingAuditor::OnComplete(uint32_t queue_pair, Descriptor descriptor) {
  if (descriptor.is_repeat()) {
    Note(EventKind::kResponseRepeated, queue_pair, 0);
    return;
  }
  ForEach(descriptor, [&](const Request& request) { CompleteRequest(queue_pair, request); });
}

void RingAuditor::CompleteRequest(uint32_t queue_pair, const Request& request) {
  QueuePair& record = queue_pairs_[queue_pair];
  const auto found = record.on_card.find(&request);
  if (found == record.on_card.end()) {
    // The request may have been freed: its fields are not read.
    Break(queue_pair, 0, "the card completes a request that it does not have");
    return;
  }
  Entry& entry = found->second;
  Note(EventKind::kCompleted, queue_pair, entry.number, static_cast<uint8_t>(request.status));
  if (std::exchange(entry.completed, true)) Break(queue_pair, entry.number, "completed twice");
  if (request.status == CompletionStatus::kPending) {
    Break(queue_pair, entry.number, "completed, but its status is pending");
  }
  if (request.status != CompletionStatus::kCardReset) return;
  if (entry.number <= record.last_reset) {
    Break(queue_pair, entry.number,
          "completed by a reset after request " + std::to_string(record.last_reset));
  }
  record.last_reset = entry.number;
}

void RingAuditor::OnPop(uint32_t queue_pair, Descriptor descriptor) {
  if (descriptor.is_repeat()) return;
  ForEach(descriptor, [&](const Request& request) { PopRequest(queue_pair, request); });
}

void RingAuditor::PopRequest(uint32_t queue_pair, const Request& request) {
  auto& on_card = queue_pairs_[queue_pair].on_card;
  const auto found = on_card.find(&request);
  if (found == on_card.end()) {
    Break(queue_pair, 0, "handed back, but the card did not have it");
    return;
  }
  const Entry entry = found->second;
  on_card.erase(found);
  Note(EventKind::kPopped, queue_pair, entry.number);
  if (!entry.completed) Break(queue_pair, entry.number, "handed back before it completed");
  ++(request.status == CompletionStatus::kOk ? counts_.succeeded : counts_.failed);
}

void RingAuditor::OnInterrupt(uint32_t queue_pair) { Note(EventKind::kInterrupt, queue_pair, 0); }

void RingAuditor::CheckCardState() {
  const CardState state = card_->state();
  const CardState before = std::exchange(state_, state);
  if (state != CardState::kUp) last_down_ = card_->clock().Now();
  if (before == state) return;
  log_.Append({.at = card_->clock().Now(),
               .kind = EventKind::kCardState,
               .detail = static_cast<uint8_t>(state)});
  if (state == CardState::kFatalError || state == CardState::kRestarting) return;
  // The card is up again or lost: the reset must have completed every request that it had.
  for (uint32_t index = 0; index < queue_pairs_.size(); ++index) {
    for (const auto& [request, entry] : queue_pairs_[index].on_card) {
      if (!entry.completed && entry.pushed < last_down_) {
        Break(index, entry.number, "was on the card during a reset that did not complete it");
      }
    }
  }
}

}  // namespace tools::scenario
