#include "hwsim/request.h"

#include <array>

namespace hwsim {

std::string_view OperationName(OperationKind kind) {
  static constexpr std::array<std::string_view, kOperationKindCount> kNames = {
      "null",         "copy",         "crc32c",          "sha256", "aes128_gcm", "aes256_gcm",
      "rsa2048_sign", "rsa4096_sign", "ecdsa_p256_sign", "x25519", "deflate",    "other"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace hwsim
