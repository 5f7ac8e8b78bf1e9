// RealCard: the card in real time.
//
// Threads of its own: one service thread drives the model from CLOCK_MONOTONIC;
// execution threads do the work of requests that carry any, inside the modelled
// service window (a request completes when both the model and the work are done).
// Time: the service thread sleeps to a self-calibrated margin before each
// deadline, then spins. With requests about it spins for a bounded, measured time
// before it sleeps, unless the execution threads have work for all processors; with
// nothing in flight it sleeps for good.
#ifndef GHOSTCARD_HWSIM_REAL_CARD_H_
#define GHOSTCARD_HWSIM_REAL_CARD_H_

#include <memory>
#include <string>

#include "hwsim/card.h"
#include "hwsim/rings/transport.h"

namespace hwsim {

class RealCard final : public Card {
 public:
  struct Options {
    Profile profile;
    uint32_t queue_pairs = 1;  // 1..profile.queue_pairs_max
    uint32_t depth = 0;        // 0: the profile's. 1..32768
    TransportKind transport = TransportKind::kAuto;
    uint32_t execution_threads = 0;  // 0: one per processor, at most 8. 1..64
    // False: requests take their modelled time, but their work is not done and their results
    // stay as they were. For measuring a card that is faster than this machine.
    bool do_work = true;
    uint64_t seed = 1;
  };
  // Fails with a sentence: an option out of bounds, io_uring refused (kUring), no descriptors.
  static Expected<std::unique_ptr<RealCard>> Create(Options options);
  ~RealCard() override;

  std::span<const std::unique_ptr<QueuePair>> queue_pairs() const override;
  const Clock& clock() const override;
  const Profile& profile() const override;
  std::string_view transport_name() const override;
  void SetInterrupts(bool on) override;
  CardState state() const override;
  uint64_t heartbeat() const override;
  FaultInjector FaultsAt(FaultSite site) const override;
  void Reset() override;  // by the service thread, soon
  Stats stats() const override;

  // Why `auto` did not take io_uring; empty when it did.
  const std::string& transport_note() const;

 private:
  class Impl;
  RealCard(std::unique_ptr<FaultLog> log, std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_REAL_CARD_H_
