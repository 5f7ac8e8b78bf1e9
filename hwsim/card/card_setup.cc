#include "hwsim/card/card_setup.h"

#include <optional>
#include <string>

#include "hwsim/base/random.h"

namespace hwsim::card {
namespace {

// Random streams. The model numbers its own from 0; these are far from them.
constexpr uint64_t kSubmitStream = uint64_t{1} << 32;
constexpr uint64_t kOpenStream = uint64_t{1} << 33;
constexpr uint64_t kListStream = uint64_t{1} << 34;
constexpr uint64_t kSiteStream = uint64_t{1} << 35;

faults::FaultInjector MakeInjector(const CardSetup& setup, faults::FaultSite site,
                                   uint64_t stream) {
  return faults::FaultInjector(setup.profile.faults, site, Random(setup.seed).Fork(stream),
                               setup.start);
}

}  // namespace

Expected<void> CheckCardOptions(const model::Profile& profile, uint32_t queue_pairs,
                                uint32_t* depth) {
  if (auto valid = profile.Validate(); !valid) return valid;
  if (queue_pairs < 1 || queue_pairs > profile.queue_pairs_max) {
    return Unexpected("queue_pairs: " + std::to_string(queue_pairs) + "; 1 to " +
                      std::to_string(profile.queue_pairs_max) + " with profile " + profile.name);
  }
  if (*depth == 0) *depth = profile.depth;
  constexpr uint32_t kDepthMax = 32768;
  if (*depth > kDepthMax) {
    return Unexpected("depth: " + std::to_string(*depth) + "; 1 to " + std::to_string(kDepthMax));
  }
  return {};
}

Expected<uint32_t> OpenableQueuePairs(const CardSetup& setup, uint32_t queue_pairs) {
  faults::FaultInjector faults = MakeInjector(setup, faults::FaultSite::kOpen, kOpenStream);
  if (faults.empty()) return queue_pairs;
  uint32_t open = 0;
  for (uint32_t index = 0; index < queue_pairs; ++index) {
    const std::optional<faults::Fault> fault =
        faults.At({.queue_pair = index, .in_flight = open, .now = setup.start});
    if (!fault) {
      ++open;
      continue;
    }
    setup.fault_log.Append(
        {.kind = fault->kind, .rule = fault->rule, .at = setup.start, .queue_pair = index});
  }
  if (open == 0) {
    return Unexpected("queue_pairs: the card has no instance left for any of the " +
                      std::to_string(queue_pairs) + " asked for (fault instances_exhausted)");
  }
  return open;
}

rings::QueuePair::Options QueuePairOptions(const CardSetup& setup, uint32_t index, uint32_t depth,
                                           const Clock& clock) {
  return {.index = index,
          .depth = depth,
          .submit_faults = MakeInjector(setup, faults::FaultSite::kSubmit, kSubmitStream + index),
          .list_faults = MakeInjector(setup, faults::FaultSite::kList, kListStream + index),
          .repeats = setup.profile.faults.Has(faults::FaultKind::kResponseDuplicated),
          .fault_log = &setup.fault_log,
          .clock = &clock};
}

faults::FaultInjector FaultsOutsideCard(const CardSetup& setup, faults::FaultSite site) {
  return MakeInjector(setup, site, kSiteStream + static_cast<uint64_t>(site));
}

uint32_t CompletionRingDepth(const model::Profile& profile, uint32_t depth) {
  return profile.faults.Has(faults::FaultKind::kResponseDuplicated) ? 2 * depth : depth;
}

}  // namespace hwsim::card
