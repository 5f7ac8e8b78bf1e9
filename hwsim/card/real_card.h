// RealCard: the card in real time.
//
// Threads: the card has one service thread, which drives the model from CLOCK_MONOTONIC, and
// execution threads, which do the work of requests that carry work. The work runs inside the
// modelled service time: a request completes when both the model and the work are done.
// Time: the service thread sleeps until a self-calibrated margin before each deadline, then spins.
// With requests in flight it spins for a bounded, measured time before it sleeps, unless execution
// threads occupy every processor. With nothing in flight it sleeps until a submit.
#ifndef GHOSTCARD_HWSIM_CARD_REAL_CARD_H_
#define GHOSTCARD_HWSIM_CARD_REAL_CARD_H_

#include <memory>
#include <string>

#include "hwsim/card/card_base.h"
#include "hwsim/rings/transport.h"

namespace hwsim::card {

class RealCard final : public CardBase {
 public:
  struct Options {
    model::Profile profile;
    uint32_t queue_pairs = 1;  // 1..profile.queue_pairs_max
    uint32_t depth = 0;        // 1..32768; 0: the profile's
    rings::TransportKind transport = rings::TransportKind::kAuto;
    uint32_t execution_threads = 0;  // 1..64; 0: one per processor, at most 8
    // False: requests take their modelled time, but their work is not done and their results stay
    // as they were. For measuring a card that is faster than this machine.
    bool do_work = true;
    uint64_t seed = 1;
  };
  // Error: a sentence that says what is wrong: an option out of bounds, io_uring refused (kUring),
  // no descriptors.
  static Expected<std::unique_ptr<RealCard>> Create(Options options);
  ~RealCard() override;

  std::string_view transport_name() const override;
  void Reset() override;  // returns at once; the service thread resets the card soon after
  Stats stats() const override;

  // Why kAuto did not take io_uring; empty when it did.
  const std::string& transport_note() const;

 private:
  class Impl;
  RealCard(std::unique_ptr<faults::FaultLog> log, std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_REAL_CARD_H_
