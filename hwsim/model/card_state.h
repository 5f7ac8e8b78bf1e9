// CardState: whether the card as a whole is up.
//
// Threads: a value.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_

#include <cstdint>
#include <string_view>

namespace hwsim::model {

// kUp -> kFatalError -> kRestarting -> kUp, or kUp -> kLost.
enum class CardState : uint8_t {
  kUp,          // accepts requests and completes them; a card that hangs is up and completes none
  kFatalError,  // refuses requests; the requests on it do not move
  kRestarting,  // refuses requests; the requests on it have completed with kCardReset
  kLost,        // as kRestarting, for good
};
std::string_view CardStateName(CardState state);  // "up", "fatal_error", "restarting", "lost"

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
