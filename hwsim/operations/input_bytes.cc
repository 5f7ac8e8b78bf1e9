#include "hwsim/operations/input_bytes.h"

#include <openssl/crypto.h>

#include "hwsim/base/check.h"

namespace hwsim::operations {

std::vector<std::byte> CopyInput(Bytes bytes) {
  GHOSTCARD_CHECK(bytes.size() <= kInputBytesMax, "an input is at most 1 GiB");
  return {bytes.begin(), bytes.end()};
}

SecretBytes::SecretBytes(Bytes bytes) : bytes_(CopyInput(bytes)) {}
SecretBytes::~SecretBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

}  // namespace hwsim::operations
