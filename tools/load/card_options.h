// CardOptions: the card of every command that runs one: bench, saturate and bench --tls.
#ifndef GHOSTCARD_TOOLS_LOAD_CARD_OPTIONS_H_
#define GHOSTCARD_TOOLS_LOAD_CARD_OPTIONS_H_

#include <chrono>
#include <cstdint>

#include "hwsim/base/clock.h"
#include "hwsim/model/profile.h"
#include "hwsim/rings/transport.h"

namespace tools::load {

struct CardOptions {
  hwsim::model::Profile profile;
  hwsim::rings::TransportKind transport = hwsim::rings::TransportKind::kAuto;
  uint32_t depth = 0;  // 0: the profile's
  uint32_t queue_pairs = 1;
  uint32_t execution_threads = 0;  // 0: one per processor
  bool do_work = true;             // false: operations only take their modelled time
  uint64_t seed = 1;
  // Polling mode: the pause between two looks for completions; 0: no pause.
  hwsim::Duration poll_interval = std::chrono::microseconds(10);
};

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_CARD_OPTIONS_H_
