// Conversion between bytes and hexadecimal, for the vectors that standards print.
#ifndef GHOSTCARD_TESTS_HWSIM_OPERATIONS_HEX_H_
#define GHOSTCARD_TESTS_HWSIM_OPERATIONS_HEX_H_

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/operations/input_bytes.h"

namespace hwsim::operations {

inline std::vector<std::byte> FromHex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

template <size_t kSize>
std::array<std::byte, kSize> ArrayFromHex(std::string_view hex) {
  std::array<std::byte, kSize> array{};
  const std::vector<std::byte> bytes = FromHex(hex);
  for (size_t i = 0; i < kSize; ++i) array[i] = bytes.at(i);
  return array;
}

inline std::string ToHex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<size_t>(byte) >> 4];
    hex += kDigits[std::to_integer<size_t>(byte) & 15];
  }
  return hex;
}

inline Bytes AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace hwsim::operations

#endif  // GHOSTCARD_TESTS_HWSIM_OPERATIONS_HEX_H_
