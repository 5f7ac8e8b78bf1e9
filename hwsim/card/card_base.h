// CardBase: the Card interface answered by a CardCore; the base of RealCard and VirtualCard.
//
// Threads: see card.h.
#ifndef GHOSTCARD_HWSIM_CARD_CARD_BASE_H_
#define GHOSTCARD_HWSIM_CARD_CARD_BASE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "hwsim/card/card.h"
#include "hwsim/card/card_core.h"

namespace hwsim::card {

class CardBase : public Card {
 public:
  std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs() const final {
    return core_.queue_pairs();
  }
  const Clock& clock() const final { return clock_; }
  const model::Profile& profile() const final { return core_.profile(); }
  void SetInterrupts(bool on) final { core_.SetInterrupts(on); }
  model::CardState state() const final { return core_.state(); }
  uint64_t heartbeat() const final { return core_.Heartbeat(clock_.Now()); }
  faults::FaultInjector FaultsAt(faults::FaultSite site) const final {
    return core_.FaultsAt(site);
  }
  Stats stats() const override { return core_.stats(); }

 protected:
  // The core writes to `fault_log`. The derived class owns the core and the clock, which outlive
  // every call of the methods above.
  CardBase(std::unique_ptr<faults::FaultLog> fault_log, CardCore& core, const Clock& clock)
      : Card(std::move(fault_log)), core_(core), clock_(clock) {}

 private:
  CardCore& core_;
  const Clock& clock_;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_CARD_BASE_H_
