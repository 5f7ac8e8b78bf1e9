// What to say of a name that is none of those allowed.
#ifndef GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_
#define GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hwsim {

// "a, b, c"
std::string JoinedNames(std::span<const std::string_view> names);

// The one that was probably meant: two letters or less away. None: no such.
std::optional<std::string_view> NearestName(std::string_view name,
                                            std::span<const std::string_view> known);

// "did you mean 'depth'?" where there is a nearest name; else "allowed: " and all of them.
std::string Suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_
