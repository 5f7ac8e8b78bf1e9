// What to say of a name that is none of those allowed.
#ifndef GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_
#define GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_

#include <span>
#include <string>
#include <string_view>

namespace hwsim {

// "a, b, c"
std::string JoinedNames(std::span<const std::string_view> names);

// "did you mean 'depth'?" where one of `known` is two letters or less away; else "allowed: " and
// all of them.
std::string Suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_KNOWN_NAMES_H_
