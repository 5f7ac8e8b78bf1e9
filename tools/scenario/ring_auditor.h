// RingAuditor: watches what travels between the queue pairs and the card, keeps its own record of
// it, and reports what breaks the rules of the rings. It uses none of their counters.
//
// It reports: a request accepted twice, by a card that is down, or past the depth; a completion
// for a request that the card does not have, a second one, one without a status, or reset
// completions out of order; a request handed back before it completed; a request that a reset did
// not complete.
//
// Threads: one at a time. Ownership: outlives the card whose channels it watches.
#ifndef GHOSTCARD_TOOLS_SCENARIO_RING_AUDITOR_H_
#define GHOSTCARD_TOOLS_SCENARIO_RING_AUDITOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hwsim/card/card.h"
#include "hwsim/model/card_state.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/transport.h"
#include "tools/scenario/event_log.h"

namespace tools::scenario {

class RingAuditor {
 public:
  // Called with each rule that did not hold.
  using OnBroken = std::function<void(const std::string& rule)>;
  // Called with each request when the queue pair accepts it.
  using OnPushed =
      std::function<void(uint32_t queue_pair, const hwsim::operations::Request& request)>;

  RingAuditor(EventLog& log, OnBroken on_broken, OnPushed on_pushed)
      : log_(log), on_broken_(std::move(on_broken)), on_pushed_(std::move(on_pushed)) {}

  // Puts the auditor between a queue pair and the card: for VirtualCard::Options::wrap_channel.
  std::unique_ptr<hwsim::rings::Channel> Watch(uint32_t queue_pair,
                                               std::unique_ptr<hwsim::rings::Channel> channel);
  // Called once, after the card was created and before the first request. `card` outlives the last
  // request on it. `depth` is the limit of each queue pair.
  void Start(const hwsim::card::Card& card, uint32_t depth);
  // Called after each step of time. Logs a change of the card's state. When a reset is over, checks
  // that it completed every request that was on the card.
  void CheckCardState();

  // Whether the request was accepted and not yet handed back.
  bool Has(const hwsim::operations::Request& request) const;
  uint32_t in_flight(uint32_t queue_pair) const {
    return static_cast<uint32_t>(queue_pairs_[queue_pair].on_card.size());
  }
  uint64_t in_flight() const;

  struct Counts {
    uint64_t accepted = 0, succeeded = 0, failed = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  class WatchedChannel;
  struct Entry {
    uint64_t number = 0;
    hwsim::TimePoint pushed{};
    bool completed = false;
  };
  struct QueuePair {
    std::unordered_map<const hwsim::operations::Request*, Entry> on_card;
    uint64_t last_reset = 0;  // number of the last request that a reset completed
  };

  void OnPush(uint32_t queue_pair, hwsim::rings::Descriptor descriptor);
  void OnComplete(uint32_t queue_pair, hwsim::rings::Descriptor descriptor);
  void OnPop(uint32_t queue_pair, hwsim::rings::Descriptor descriptor);
  void OnInterrupt(uint32_t queue_pair);
  void PushRequest(uint32_t queue_pair, const hwsim::operations::Request& request);
  void CompleteRequest(uint32_t queue_pair, const hwsim::operations::Request& request);
  void PopRequest(uint32_t queue_pair, const hwsim::operations::Request& request);
  void Note(EventKind kind, uint32_t queue_pair, uint64_t number, uint8_t detail = 0);
  void Break(uint32_t queue_pair, uint64_t number, const std::string& rule);

  EventLog& log_;
  const OnBroken on_broken_;
  const OnPushed on_pushed_;
  const hwsim::card::Card* card_ = nullptr;
  uint32_t depth_ = 0;
  std::vector<QueuePair> queue_pairs_;
  Counts counts_;
  hwsim::model::CardState state_ = hwsim::model::CardState::kUp;
  hwsim::TimePoint last_down_{};  // when CheckCardState last saw the card down
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_RING_AUDITOR_H_
