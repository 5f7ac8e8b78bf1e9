// ParseNumber: reads a whole number from an argument, an option or a variable.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_BASE_PARSE_NUMBER_H_
#define GHOSTCARD_HWSIM_BASE_PARSE_NUMBER_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace hwsim {

// Returns the number that `text` is in base `base`. nullopt: `text` is empty, contains something
// else than digits of that base (a sign or a space, for example), or the number does not fit into
// 64 bits.
inline std::optional<uint64_t> ParseNumber(std::string_view text, int base = 10) {
  uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_PARSE_NUMBER_H_
