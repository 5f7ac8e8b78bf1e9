#include "engine/openssl/context_change.h"

#include <openssl/err.h>

namespace engine {

namespace {

struct Freer {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// That there is no copy is an answer, not an error.
template <typename Copy>
auto WithoutErrors(Copy copy) {
  ERR_set_mark();
  auto made = copy();
  ERR_pop_to_mark();
  return made;
}

}  // namespace

DigestContext NewDigestContext() { return {EVP_MD_CTX_new(), Freer()}; }
CipherContext NewCipherContext() { return {EVP_CIPHER_CTX_new(), Freer()}; }

DigestContext CopyOf(const EVP_MD_CTX& context) {
  return WithoutErrors([&]() -> DigestContext {
    DigestContext copy = NewDigestContext();
    return copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), &context) == 1 ? copy : nullptr;
  });
}

CipherContext CopyOf(const EVP_CIPHER_CTX& context) {
  return WithoutErrors([&]() -> CipherContext {
    CipherContext copy = NewCipherContext();
    return copy != nullptr && EVP_CIPHER_CTX_copy(copy.get(), &context) == 1 ? copy : nullptr;
  });
}

MacContext CopyOf(const EVP_MAC_CTX& context) {
  return WithoutErrors([&] { return MacContext(EVP_MAC_CTX_dup(&context), Freer()); });
}

}  // namespace engine
