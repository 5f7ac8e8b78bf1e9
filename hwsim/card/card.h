// Card: a simulated accelerator. RealCard (real_card.h) runs in real time, on threads of its own;
// VirtualCard (virtual_card.h) runs in virtual time, on the caller's thread. Both use one model.
//
// Threads: any, except for a single-threaded card.
// Ownership: the card owns its queue pairs and outlives everything that submits to them. Its
// destructor gives the requests in flight back to the caller, completed or not.
#ifndef GHOSTCARD_HWSIM_CARD_CARD_H_
#define GHOSTCARD_HWSIM_CARD_CARD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "hwsim/base/clock.h"
#include "hwsim/card/time_driver.h"
#include "hwsim/faults/fault_injector.h"
#include "hwsim/faults/fault_log.h"
#include "hwsim/model/card_state.h"
#include "hwsim/model/profile.h"
#include "hwsim/rings/queue_pair.h"

namespace hwsim::card {

class Card {
 public:
  virtual ~Card() = default;

  virtual std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs() const = 0;
  virtual const Clock& clock() const = 0;
  virtual const model::Profile& profile() const = 0;
  // For reports only: "uring", "memory", "virtual" or "scripted". What the card can do is below.
  virtual std::string_view transport_name() const = 0;

  // Lets time pass on a card in virtual time. Null: time passes by itself.
  virtual TimeDriver* time_driver() { return nullptr; }
  // Whether every call must come from one thread, so that nothing else may poll the card.
  virtual bool single_threaded() const { return false; }

  // Whether queue pairs raise interrupts; switched off while completions are polled. Initially on.
  virtual void SetInterrupts(bool on) = 0;

  virtual model::CardState state() const { return model::CardState::kUp; }
  // Counts up once per profile().health.heartbeat while the card's firmware is alive.
  virtual uint64_t heartbeat() const { return 0; }
  // Resets the card. For profile().health.reset the card refuses requests; it answers the requests
  // in flight with kCardReset, in the order of their submission. The queue pairs stay valid. Does
  // nothing when the card is down or lost.
  virtual void Reset() {}

  struct Stats {
    uint64_t completed = 0;     // requests completed
    uint64_t interrupts = 0;    // times the card asked for a queue pair's line to rise
    uint64_t faults_fired = 0;  // in the card itself; faults at a submit are not included
    uint64_t sleeps = 0;        // times the service thread went to sleep
    Duration lateness_total{};  // sum over completed requests of completed - due
    Duration lateness_max{};
  };
  virtual Stats stats() const = 0;

  // The faults that fired, in the card and around it, in order.
  const faults::FaultLog& fault_log() const { return *fault_log_; }
  faults::FaultLog& fault_log() { return *fault_log_; }
  // The rules of the card's fault plan for `site`, drawing from the card's seed. For a component
  // outside the card that applies faults itself, as the engine does to notifications; it appends
  // them to fault_log().
  virtual faults::FaultInjector FaultsAt(faults::FaultSite) const { return {}; }

 protected:
  Card() = default;
  // For a card whose parts write to the log before the card itself exists.
  explicit Card(std::unique_ptr<faults::FaultLog> fault_log) : fault_log_(std::move(fault_log)) {}

 private:
  const std::unique_ptr<faults::FaultLog> fault_log_ = std::make_unique<faults::FaultLog>();
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_CARD_H_
