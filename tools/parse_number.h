// Numbers in arguments.
#ifndef GHOSTCARD_TOOLS_PARSE_NUMBER_H_
#define GHOSTCARD_TOOLS_PARSE_NUMBER_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace tools {

// None: `text` is not digits of that base alone, or too large.
inline std::optional<uint64_t> ParseNumber(std::string_view text, int base = 10) {
  uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_PARSE_NUMBER_H_
