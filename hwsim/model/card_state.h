// CardState: how the card as a whole is.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_

#include <cstdint>
#include <string_view>

namespace hwsim {

// kUp -> kFatalError -> kRestarting -> kUp, or kUp -> kLost.
enum class CardState : uint8_t {
  kUp,          // takes requests and answers them; a hung card is up too, and answers none
  kFatalError,  // refuses requests; those it has are stuck
  kRestarting,  // refuses requests; those it had have been answered with kCardReset
  kLost,        // refuses requests, for good; those it had have been answered with kCardReset
};
std::string_view CardStateName(CardState state);  // "up", "fatal_error", "restarting", "lost"

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
