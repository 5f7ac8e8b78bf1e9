#include "tools/ring_books.h"

#include <utility>

namespace tools {

using hwsim::CardState;
using hwsim::CompletionStatus;
using hwsim::Descriptor;
using hwsim::Request;

// Passes everything on, and writes it down.
class RingBooks::Watcher final : public hwsim::Channel {
 public:
  Watcher(RingBooks& books, uint32_t queue_pair, std::unique_ptr<hwsim::Channel> channel)
      : books_(books), queue_pair_(queue_pair), channel_(std::move(channel)) {}

  size_t Push(std::span<const Descriptor> descriptors) override {
    // Before: what strikes on arrival comes after the push.
    for (const Descriptor descriptor : descriptors) books_.Pushed(queue_pair_, descriptor);
    return channel_->Push(descriptors);
  }
  size_t Pop(std::span<Descriptor> out) override {
    const size_t count = channel_->Pop(out);
    for (const Descriptor descriptor : out.first(count)) books_.Popped(queue_pair_, descriptor);
    return count;
  }
  int interrupt_fd() const override { return channel_->interrupt_fd(); }
  bool Arm() override { return channel_->Arm(); }
  void Disarm() override { channel_->Disarm(); }
  void Complete(std::span<const Descriptor> descriptors, bool raise) override {
    for (const Descriptor descriptor : descriptors) books_.Answered(queue_pair_, descriptor);
    if (raise) books_.Raised(queue_pair_);
    channel_->Complete(descriptors, raise);
  }
  void Raise() override {
    books_.Raised(queue_pair_);
    channel_->Raise();
  }

 private:
  RingBooks& books_;
  const uint32_t queue_pair_;
  const std::unique_ptr<hwsim::Channel> channel_;
};

std::unique_ptr<hwsim::Channel> RingBooks::Watch(uint32_t queue_pair,
                                                 std::unique_ptr<hwsim::Channel> channel) {
  if (queue_pairs_.size() <= queue_pair) queue_pairs_.resize(queue_pair + 1);
  return std::make_unique<Watcher>(*this, queue_pair, std::move(channel));
}

void RingBooks::Begin(const hwsim::Card& card, uint32_t depth) {
  card_ = &card;
  depth_ = depth;
}

bool RingBooks::Has(const Request& request) const {
  for (const QueuePair& queue_pair : queue_pairs_) {
    if (queue_pair.on_card.contains(&request)) return true;
  }
  return false;
}

uint64_t RingBooks::in_flight() const {
  uint64_t total = 0;
  for (const QueuePair& queue_pair : queue_pairs_) total += queue_pair.on_card.size();
  return total;
}

void RingBooks::Note(EventKind kind, uint32_t queue_pair, uint64_t number, uint8_t detail) {
  log_.Append({.at = card_->clock().Now(),
               .number = number,
               .place = queue_pair,
               .kind = kind,
               .detail = detail});
}

void RingBooks::Break(uint32_t queue_pair, uint64_t number, const std::string& rule) {
  on_broken_("queue pair " + std::to_string(queue_pair) + ", request " + std::to_string(number) +
             ": " + rule);
}

namespace {

// Calls handle(request) for the request, or each member of the batch.
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

void RingBooks::Pushed(uint32_t queue_pair, Descriptor descriptor) {
  ForEach(descriptor, [&](const Request& request) { PushedOne(queue_pair, request); });
}

void RingBooks::PushedOne(uint32_t queue_pair, const Request& request) {
  Note(EventKind::kPushed, queue_pair, request.number, static_cast<uint8_t>(request.kind));
  if (Has(request)) Break(queue_pair, request.number, "accepted while the card has it already");
  if (card_->state() != CardState::kUp)
    Break(queue_pair, request.number, "accepted by a card that is down");
  auto& on_card = queue_pairs_[queue_pair].on_card;
  on_card[&request] = {.number = request.number, .pushed = card_->clock().Now()};
  ++counts_.accepted;
  if (on_card.size() > depth_) {
    Break(
        queue_pair, request.number,
        std::to_string(on_card.size()) + " in flight, and the depth is " + std::to_string(depth_));
  }
  on_pushed_(queue_pair, request);
}

void RingBooks::Answered(uint32_t queue_pair, Descriptor descriptor) {
  if (descriptor.is_repeat()) {
    Note(EventKind::kRepeated, queue_pair, 0);
    return;
  }
  ForEach(descriptor, [&](const Request& request) { AnsweredOne(queue_pair, request); });
}

void RingBooks::AnsweredOne(uint32_t queue_pair, const Request& request) {
  auto& books = queue_pairs_[queue_pair];
  const auto found = books.on_card.find(&request);
  if (found == books.on_card.end()) {
    // Whatever it points to may be gone.
    Break(queue_pair, 0, "the card answers what it does not have");
    return;
  }
  Entry& entry = found->second;
  Note(EventKind::kAnswered, queue_pair, entry.number, static_cast<uint8_t>(request.status));
  if (std::exchange(entry.answered, true)) Break(queue_pair, entry.number, "answered twice");
  if (request.status == CompletionStatus::kPending) {
    Break(queue_pair, entry.number, "answered, and its status says that it is pending");
  }
  if (request.status != CompletionStatus::kCardReset) return;
  if (entry.number <= books.last_reset) {
    Break(queue_pair, entry.number,
          "a reset answers it behind request " + std::to_string(books.last_reset));
  }
  books.last_reset = entry.number;
}

void RingBooks::Popped(uint32_t queue_pair, Descriptor descriptor) {
  if (descriptor.is_repeat()) return;
  ForEach(descriptor, [&](const Request& request) { PoppedOne(queue_pair, request); });
}

void RingBooks::PoppedOne(uint32_t queue_pair, const Request& request) {
  auto& on_card = queue_pairs_[queue_pair].on_card;
  const auto found = on_card.find(&request);
  if (found == on_card.end()) {
    Break(queue_pair, 0, "handed back though the card did not have it");
    return;
  }
  const Entry entry = found->second;
  on_card.erase(found);
  Note(EventKind::kPopped, queue_pair, entry.number);
  if (!entry.answered) Break(queue_pair, entry.number, "handed back before it was answered");
  ++(request.status == CompletionStatus::kOk ? counts_.succeeded : counts_.failed);
}

void RingBooks::Raised(uint32_t queue_pair) { Note(EventKind::kInterrupt, queue_pair, 0); }

void RingBooks::Look() {
  const CardState state = card_->state();
  const CardState before = std::exchange(state_, state);
  if (state != CardState::kUp) seen_down_ = card_->clock().Now();
  if (before == state) return;
  log_.Append({.at = card_->clock().Now(),
               .kind = EventKind::kCardState,
               .detail = static_cast<uint8_t>(state)});
  if (state == CardState::kFatalError || state == CardState::kRestarting) return;
  // It is up again, or lost: everything that it had is answered.
  for (uint32_t index = 0; index < queue_pairs_.size(); ++index) {
    for (const auto& [request, entry] : queue_pairs_[index].on_card) {
      if (!entry.answered && entry.pushed < seen_down_) {
        Break(index, entry.number, "not answered by the reset that it was on the card for");
      }
    }
  }
}

}  // namespace tools
