// The text of the profiles that ship: profiles/*.toml, compiled into the program.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_
#define GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_

#include <span>
#include <string_view>

namespace hwsim {

struct ShippedProfileText {
  std::string_view name;
  std::string_view toml;
};

// In the order of lists for people.
std::span<const ShippedProfileText> ShippedProfileTexts();

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_
