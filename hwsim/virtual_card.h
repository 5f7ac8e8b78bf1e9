// VirtualCard: the same model and the same queue pairs under a virtual clock, on
// the caller's thread: deterministic, as fast as the processor allows.
//
// Threads: one, the caller's, for everything. Time: moves only in Step and
// AdvanceTo. The work of a request is done when it completes, on this thread.
#ifndef GHOSTCARD_HWSIM_VIRTUAL_CARD_H_
#define GHOSTCARD_HWSIM_VIRTUAL_CARD_H_

#include <functional>
#include <memory>
#include <optional>

#include "hwsim/card.h"
#include "hwsim/rings/transport.h"

namespace hwsim {

class VirtualCard final : public Card {
 public:
  struct Options {
    Profile profile;
    uint32_t queue_pairs = 1;  // 1..profile.queue_pairs_max
    uint32_t depth = 0;        // 0: the profile's
    uint64_t seed = 1;
    // Puts something between each queue pair and the card, to watch what travels or to meddle with
    // it. Empty: nothing. Called in Create only.
    std::function<std::unique_ptr<Channel>(uint32_t queue_pair, std::unique_ptr<Channel> channel)>
        wrap_channel{};
  };
  static Expected<std::unique_ptr<VirtualCard>> Create(Options options);
  ~VirtualCard() override;

  // When something happens next; none: nothing is pending.
  std::optional<TimePoint> NextEvent() const;
  // Moves the clock to `to` and makes everything due by then happen.
  // Requires: `to` is not before clock().Now().
  void AdvanceTo(TimePoint to);
  // Moves the clock to the next event and makes it happen. False: nothing is pending.
  bool Step();

  std::span<const std::unique_ptr<QueuePair>> queue_pairs() const override;
  const Clock& clock() const override;
  const Profile& profile() const override;
  std::string_view transport_name() const override;
  void SetInterrupts(bool on) override;
  CardState state() const override;
  uint64_t heartbeat() const override;
  void Reset() override;
  bool LetTimePass() override { return Step(); }
  bool LetTimePassUntil(TimePoint to) override;
  FaultInjector FaultsAt(FaultSite site) const override;
  Stats stats() const override;

 private:
  class Impl;
  VirtualCard(std::unique_ptr<FaultLog> log, std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_VIRTUAL_CARD_H_
