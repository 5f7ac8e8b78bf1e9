// WatchedCard: a virtual card whose channels a RingAuditor watches and whose rings a test plays by
// hand, so that a test can break each rule.
//
// Threads: one.
#ifndef GHOSTCARD_TESTS_TOOLS_SCENARIO_WATCHED_CARD_H_
#define GHOSTCARD_TESTS_TOOLS_SCENARIO_WATCHED_CARD_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hwsim/card/virtual_card.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/transport.h"
#include "tools/scenario/event_log.h"
#include "tools/scenario/ring_auditor.h"

namespace tools::scenario {

class WatchedCard {
 public:
  static constexpr uint32_t kDepth = 2;
  static constexpr hwsim::Duration kResetTime = std::chrono::milliseconds(1);

  WatchedCard() {
    hwsim::model::Profile profile;
    profile.health.reset = kResetTime;
    auto card = hwsim::card::VirtualCard::Create(
        {.profile = profile,
         .depth = kDepth,
         .wrap_channel = [this](uint32_t queue_pair,
                                std::unique_ptr<hwsim::rings::Channel> channel) {
           auto by_hand = std::make_unique<ChannelByHand>(std::move(channel));
           by_hand_ = by_hand.get();
           auto watched = auditor_.Watch(queue_pair, std::move(by_hand));
           channel_ = watched.get();
           return watched;
         }});
    owned_ = std::move(card.value());
    card_ = owned_.get();
    auditor_.Start(*card_, kDepth);
  }

  // What travels, as the queue pair and the card cause it.
  void Push(hwsim::operations::Request& request) {
    PushDescriptor(hwsim::rings::Descriptor::One(request));
  }
  void PushDescriptor(hwsim::rings::Descriptor descriptor) {
    channel_->Push(std::span(&descriptor, 1));
  }
  void Complete(hwsim::operations::Request& request, hwsim::operations::CompletionStatus status) {
    request.status = status;
    CompleteDescriptor(hwsim::rings::Descriptor::One(request));
  }
  void CompleteDescriptor(hwsim::rings::Descriptor descriptor, bool raise = false) {
    channel_->Complete(std::span(&descriptor, 1), raise);
  }
  void Pop(hwsim::operations::Request& request) {
    PopDescriptor(hwsim::rings::Descriptor::One(request));
  }
  void PopDescriptor(hwsim::rings::Descriptor descriptor) {
    by_hand_->next = descriptor;
    std::array<hwsim::rings::Descriptor, 4> out;
    channel_->Pop(out);
  }

  // Moves time on, and lets the auditor look at the card.
  void PassTime(hwsim::Duration time) {
    card_->AdvanceTo(card_->clock().Now() + time);
    auditor_.CheckCardState();
  }
  void Reset() {
    PassTime(std::chrono::microseconds(1));
    card_->Reset();
    auditor_.CheckCardState();
  }

  hwsim::card::VirtualCard& card() { return *card_; }
  // Hands the card to an engine. It stays in use here.
  std::unique_ptr<hwsim::card::VirtualCard> Release() { return std::move(owned_); }
  RingAuditor& auditor() { return auditor_; }
  EventLog& log() { return log_; }
  std::vector<std::string>& broken() { return broken_; }

 private:
  // Takes everything and brings back what the test says. What the card itself does goes on.
  class ChannelByHand final : public hwsim::rings::Channel {
   public:
    explicit ChannelByHand(std::unique_ptr<hwsim::rings::Channel> channel)
        : channel_(std::move(channel)) {}
    size_t Push(std::span<const hwsim::rings::Descriptor> descriptors) override {
      return descriptors.size();
    }
    size_t Pop(std::span<hwsim::rings::Descriptor> out) override {
      if (next.word() == 0) return 0;
      out[0] = std::exchange(next, {});
      return 1;
    }
    int interrupt_fd() const override { return channel_->interrupt_fd(); }
    bool Arm() override { return channel_->Arm(); }
    void Disarm() override { channel_->Disarm(); }
    void Complete(std::span<const hwsim::rings::Descriptor>, bool) override {}
    void Raise() override {}
    hwsim::rings::Descriptor next;

   private:
    const std::unique_ptr<hwsim::rings::Channel> channel_;
  };

  EventLog log_{true};
  std::vector<std::string> broken_;
  RingAuditor auditor_{log_, [this](const std::string& rule) { broken_.push_back(rule); },
                       [](uint32_t, const hwsim::operations::Request&) {}};
  ChannelByHand* by_hand_ = nullptr;
  hwsim::rings::Channel* channel_ = nullptr;
  std::unique_ptr<hwsim::card::VirtualCard> owned_;
  hwsim::card::VirtualCard* card_ = nullptr;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TESTS_TOOLS_SCENARIO_WATCHED_CARD_H_
