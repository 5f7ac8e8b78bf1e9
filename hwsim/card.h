// Card: an accelerator that isn't there. Two kinds share one model and one face:
// RealCard (real_card.h) lives in real time behind real rings; VirtualCard
// (virtual_card.h) lives on a virtual clock on the caller's thread.
//
// Threads: the accessors from any thread. Ownership: the card owns its queue
// pairs. It ends after everything that submits to it; requests still in flight
// then are the caller's again when the destructor returns, completed or not.
#ifndef GHOSTCARD_HWSIM_CARD_H_
#define GHOSTCARD_HWSIM_CARD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "hwsim/clock.h"
#include "hwsim/model/card_state.h"
#include "hwsim/model/fault_log.h"
#include "hwsim/model/profile.h"
#include "hwsim/queue_pair.h"

namespace hwsim {

class Card {
 public:
  virtual ~Card() = default;

  virtual std::span<const std::unique_ptr<QueuePair>> queue_pairs() const = 0;
  virtual const Clock& clock() const = 0;
  virtual const Profile& profile() const = 0;
  virtual std::string_view transport_name() const = 0;  // "uring", "memory", "virtual"

  // Whether queue pairs raise interrupts; off while completions are polled. On at first.
  virtual void SetInterrupts(bool on) = 0;

  // How the card as a whole is.
  virtual CardState state() const { return CardState::kUp; }
  // A count that goes up every profile().health.heartbeat while the card's firmware is alive.
  virtual uint64_t heartbeat() const { return 0; }
  // Resets the card: it refuses requests for profile().health.reset, and answers those it has with
  // kCardReset, in the order of their submission. Its queue pairs stay. Nothing happens while it
  // is down already, or lost.
  virtual void Reset() {}

  // Lets time pass for a caller that waits in place. False: time passes by itself, or nothing
  // is pending.
  virtual bool LetTimePass() { return false; }

  struct Stats {
    uint64_t completed = 0;     // requests completed
    uint64_t interrupts = 0;    // times a queue pair's line was to rise
    uint64_t faults_fired = 0;  // at the card itself, so without those at a submit
    uint64_t sleeps = 0;        // times the service thread went to sleep
    Duration lateness_total{};  // sum over completed requests of completed - due
    Duration lateness_max{};
  };
  virtual Stats stats() const = 0;

  // The faults that fired, at the card and around it, in order.
  const FaultLog& fault_log() const { return *fault_log_; }
  // For whoever plays a part of the card's plan outside it, as an engine plays the notification's.
  FaultLog& fault_log() { return *fault_log_; }

 protected:
  Card() = default;
  // For a card whose parts write to the log before it is there itself.
  explicit Card(std::unique_ptr<FaultLog> fault_log) : fault_log_(std::move(fault_log)) {}

 private:
  const std::unique_ptr<FaultLog> fault_log_ = std::make_unique<FaultLog>();
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_CARD_H_
