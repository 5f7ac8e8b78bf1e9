// RingBooks: what travels between the queue pairs and the card, written down by a watcher in
// between, apart from the counters of either; and the rules that must hold for it.
//
// Threads: one at a time. Ownership: outlives the card whose channels it watches.
#ifndef GHOSTCARD_TOOLS_RING_BOOKS_H_
#define GHOSTCARD_TOOLS_RING_BOOKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hwsim/card.h"
#include "hwsim/model/card_state.h"
#include "hwsim/request.h"
#include "hwsim/rings/transport.h"
#include "tools/event_log.h"

namespace tools {

class RingBooks {
 public:
  // Told of each rule that did not hold.
  using OnBroken = std::function<void(const std::string& rule)>;
  // Told of each request as it is accepted.
  using OnPushed = std::function<void(uint32_t queue_pair, const hwsim::Request& request)>;

  RingBooks(EventLog& log, OnBroken on_broken, OnPushed on_pushed)
      : log_(log), on_broken_(std::move(on_broken)), on_pushed_(std::move(on_pushed)) {}

  // For VirtualCard::Options::wrap_channel.
  std::unique_ptr<hwsim::Channel> Watch(uint32_t queue_pair,
                                        std::unique_ptr<hwsim::Channel> channel);
  // Once the card is there, before anything travels. `card` outlives the last request on it.
  void Begin(const hwsim::Card& card, uint32_t depth);
  // Time has moved: looks at the card's state.
  void Look();

  // Accepted, and not handed back.
  bool Has(const hwsim::Request& request) const;
  uint32_t in_flight(uint32_t queue_pair) const {
    return static_cast<uint32_t>(queue_pairs_[queue_pair].on_card.size());
  }
  uint64_t in_flight() const;

  struct Counts {
    uint64_t accepted = 0, succeeded = 0, failed = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  class Watcher;
  struct Entry {
    uint64_t number = 0;
    hwsim::TimePoint pushed{};
    bool answered = false;
  };
  struct QueuePair {
    std::unordered_map<const hwsim::Request*, Entry> on_card;
    uint64_t last_reset = 0;  // the last request that a reset answered
  };

  void Pushed(uint32_t queue_pair, hwsim::Descriptor descriptor);
  void Answered(uint32_t queue_pair, hwsim::Descriptor descriptor);
  void Popped(uint32_t queue_pair, hwsim::Descriptor descriptor);
  void Raised(uint32_t queue_pair);
  void PushedOne(uint32_t queue_pair, const hwsim::Request& request);
  void AnsweredOne(uint32_t queue_pair, const hwsim::Request& request);
  void PoppedOne(uint32_t queue_pair, const hwsim::Request& request);
  void Note(EventKind kind, uint32_t queue_pair, uint64_t number, uint8_t detail = 0);
  void Break(uint32_t queue_pair, uint64_t number, const std::string& rule);

  EventLog& log_;
  const OnBroken on_broken_;
  const OnPushed on_pushed_;
  const hwsim::Card* card_ = nullptr;
  uint32_t depth_ = 0;
  std::vector<QueuePair> queue_pairs_;
  Counts counts_;
  hwsim::CardState state_ = hwsim::CardState::kUp;
  hwsim::TimePoint seen_down_{};  // when it was last seen to be down
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_RING_BOOKS_H_
