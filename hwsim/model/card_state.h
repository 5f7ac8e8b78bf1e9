// CardState: whether the card as a whole is up.
//
// Threads: a value.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "hwsim/base/enum_names.h"

namespace hwsim::model {

// kUp -> kFatalError -> kRestarting -> kUp, or kUp -> kLost.
enum class CardState : uint8_t {
  kUp,          // accepts requests and completes them; a card that hangs is up and completes none
  kFatalError,  // refuses requests; the requests on it do not move
  kRestarting,  // refuses requests; the requests on it have completed with kCardReset
  kLost,        // as kRestarting, for good
};

}  // namespace hwsim::model

namespace hwsim {
template <>
inline constexpr auto kNamesOf<model::CardState> = std::to_array<EnumName<model::CardState>>({
    {model::CardState::kUp, "up"},
    {model::CardState::kFatalError, "fatal_error"},
    {model::CardState::kRestarting, "restarting"},
    {model::CardState::kLost, "lost"},
});
}  // namespace hwsim

namespace hwsim::model {

constexpr std::string_view CardStateName(CardState state) {
  return EnumNames<CardState>::NameOf(state);
}

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_STATE_H_
