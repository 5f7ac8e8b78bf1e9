#include "engine/openssl/context_change.h"

namespace engine::openssl {

SharedDigestContext NewDigestContext() { return Own(EVP_MD_CTX_new()); }
SharedCipherContext NewCipherContext() { return Own(EVP_CIPHER_CTX_new()); }

SharedDigestContext CopyOf(const EVP_MD_CTX& context) {
  const hwsim::operations::ErrorMark mark;
  SharedDigestContext copy = NewDigestContext();
  return copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), &context) == 1 ? copy : nullptr;
}

SharedCipherContext CopyOf(const EVP_CIPHER_CTX& context) {
  const hwsim::operations::ErrorMark mark;
  SharedCipherContext copy = NewCipherContext();
  return copy != nullptr && EVP_CIPHER_CTX_copy(copy.get(), &context) == 1 ? copy : nullptr;
}

SharedMacContext CopyOf(const EVP_MAC_CTX& context) {
  const hwsim::operations::ErrorMark mark;
  return Own(EVP_MAC_CTX_dup(&context));
}

}  // namespace engine::openssl
