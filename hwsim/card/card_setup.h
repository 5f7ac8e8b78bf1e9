// Card setup: the checks and derived values with which RealCard and VirtualCard are created.
//
// Threads: the creator's.
// Random: each consumer of the fault plan draws from a stream of its own, forked from the seed.
#ifndef GHOSTCARD_HWSIM_CARD_CARD_SETUP_H_
#define GHOSTCARD_HWSIM_CARD_CARD_SETUP_H_

#include <cstdint>

#include "hwsim/base/clock.h"
#include "hwsim/base/error.h"
#include "hwsim/faults/fault_injector.h"
#include "hwsim/faults/fault_log.h"
#include "hwsim/model/profile.h"
#include "hwsim/rings/queue_pair.h"

namespace hwsim::card {

// What a card is made of. The profile and the log outlive the card's parts.
struct CardSetup {
  const model::Profile& profile;
  uint64_t seed = 1;
  TimePoint start{};  // times in the fault plan count from here
  faults::FaultLog& fault_log;
};

// Checks the profile, the number of queue pairs and the depth. Replaces a depth of 0 by the
// profile's. Error: a sentence that names the bad option and its bounds.
Expected<void> CheckCardOptions(const model::Profile& profile, uint32_t queue_pairs,
                                uint32_t* depth);

// How many of `queue_pairs` can be opened: fewer where the fault instances_exhausted strikes, and
// each strike is logged. Error: none can be opened.
Expected<uint32_t> OpenableQueuePairs(const CardSetup& setup, uint32_t queue_pairs);

// Options of the queue pair at `index`, with its faults at submit. `clock` outlives the queue pair.
rings::QueuePair::Options QueuePairOptions(const CardSetup& setup, uint32_t index, uint32_t depth,
                                           const Clock& clock);

// The faults for Card::FaultsAt.
faults::FaultInjector FaultsOutsideCard(const CardSetup& setup, faults::FaultSite site);

// Entries of a completion ring: twice the depth where responses may be duplicated.
uint32_t CompletionRingDepth(const model::Profile& profile, uint32_t depth);

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_CARD_SETUP_H_
