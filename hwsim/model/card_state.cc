#include "hwsim/model/card_state.h"

#include <array>

namespace hwsim::model {

std::string_view CardStateName(CardState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"up", "fatal_error", "restarting",
                                                             "lost"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace hwsim::model
