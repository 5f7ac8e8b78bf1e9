// The text of the profiles that ship: profiles/*.toml, compiled in.
#ifndef GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_
#define GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_

#include <span>
#include <string_view>

namespace hwsim {

struct ShippedProfileText {
  std::string_view name;
  std::string_view toml;
};

// In the order in which they are to be listed.
std::span<const ShippedProfileText> ShippedProfileTexts();

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_SHIPPED_PROFILES_H_
