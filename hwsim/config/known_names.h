// The end of an error message about an unknown name.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_KNOWN_NAMES_H_
#define GHOSTCARD_HWSIM_CONFIG_KNOWN_NAMES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hwsim::config {

// "a, b, c"
std::string JoinedNames(std::span<const std::string_view> names);

// The known name that was probably meant: at most two letters differ. nullopt: there is none.
std::optional<std::string_view> NearestName(std::string_view name,
                                            std::span<const std::string_view> known);

// "did you mean 'depth'?" if there is a nearest name, else "allowed: " and all known names.
std::string Suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_KNOWN_NAMES_H_
