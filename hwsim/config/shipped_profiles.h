// The text of the profiles that ship: profiles/*.toml, compiled into the program.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_SHIPPED_PROFILES_H_
#define GHOSTCARD_HWSIM_CONFIG_SHIPPED_PROFILES_H_

#include <span>
#include <string_view>

namespace hwsim::config {

struct ShippedProfileText {
  std::string_view name;
  std::string_view toml;
};

// In the order of lists for people.
std::span<const ShippedProfileText> ShippedProfileTexts();

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_SHIPPED_PROFILES_H_
