// VirtualCard: the card in virtual time. It has the model and the queue pairs of RealCard, runs on
// the caller's thread, is deterministic, and is as fast as the processor allows.
//
// Threads: one, the caller's, for everything.
// Time: moves only in Step, StepUntil and AdvanceTo. A request's work is done when it completes.
#ifndef GHOSTCARD_HWSIM_CARD_VIRTUAL_CARD_H_
#define GHOSTCARD_HWSIM_CARD_VIRTUAL_CARD_H_

#include <functional>
#include <memory>
#include <optional>

#include "hwsim/card/card_base.h"
#include "hwsim/card/time_driver.h"
#include "hwsim/rings/transport.h"

namespace hwsim::card {

class VirtualCard final : public CardBase, public TimeDriver {
 public:
  struct Options {
    model::Profile profile;
    uint32_t queue_pairs = 1;  // 1..profile.queue_pairs_max
    uint32_t depth = 0;        // 1..32768; 0: the profile's
    uint64_t seed = 1;
    // Replaces the channel of each queue pair by one that watches or changes what travels. Empty:
    // the channels stay. Called in Create only.
    std::function<std::unique_ptr<rings::Channel>(uint32_t queue_pair,
                                                  std::unique_ptr<rings::Channel> channel)>
        wrap_channel{};
  };
  // Error: a sentence that says which option is out of bounds.
  static Expected<std::unique_ptr<VirtualCard>> Create(Options options);
  ~VirtualCard() override;

  // When the next event happens; none: no event is pending.
  std::optional<TimePoint> NextEvent() const;
  // Moves the clock to `to` and makes everything due by then happen.
  // Requires: `to` is not before clock().Now().
  void AdvanceTo(TimePoint to);
  bool Step() override;
  bool StepUntil(TimePoint to) override;

  TimeDriver* time_driver() override { return this; }
  bool single_threaded() const override { return true; }
  std::string_view transport_name() const override { return "virtual"; }
  void Reset() override;

 private:
  class Impl;
  VirtualCard(std::unique_ptr<faults::FaultLog> log, std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_VIRTUAL_CARD_H_
