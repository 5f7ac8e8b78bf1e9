// Shared owners for libcrypto objects that a Call uses. The owner may free its object while the
// card still works with it, so the object lives until the last shared owner is gone.
//
// Threads: copying an owner: any. The object itself: one at a time, as libcrypto requires.
#ifndef GHOSTCARD_ENGINE_OPENSSL_SHARED_OBJECT_H_
#define GHOSTCARD_ENGINE_OPENSSL_SHARED_OBJECT_H_

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

#include "hwsim/operations/libcrypto.h"

namespace engine::openssl {

using SharedPkey = std::shared_ptr<EVP_PKEY>;
using SharedPkeyContext = std::shared_ptr<EVP_PKEY_CTX>;
using SharedDigestContext = std::shared_ptr<EVP_MD_CTX>;
using SharedCipherContext = std::shared_ptr<EVP_CIPHER_CTX>;
using SharedMacContext = std::shared_ptr<EVP_MAC_CTX>;
using SharedKdfContext = std::shared_ptr<EVP_KDF_CTX>;

// Takes ownership of the object. Null stays null.
inline SharedPkey Own(EVP_PKEY* pkey) { return {pkey, hwsim::operations::Freer<EVP_PKEY_free>()}; }
inline SharedPkeyContext Own(EVP_PKEY_CTX* context) {
  return {context, hwsim::operations::Freer<EVP_PKEY_CTX_free>()};
}
inline SharedDigestContext Own(EVP_MD_CTX* context) {
  return {context, hwsim::operations::Freer<EVP_MD_CTX_free>()};
}
inline SharedCipherContext Own(EVP_CIPHER_CTX* context) {
  return {context, hwsim::operations::Freer<EVP_CIPHER_CTX_free>()};
}
inline SharedMacContext Own(EVP_MAC_CTX* context) {
  return {context, hwsim::operations::Freer<EVP_MAC_CTX_free>()};
}
inline SharedKdfContext Own(EVP_KDF_CTX* context) {
  return {context, hwsim::operations::Freer<EVP_KDF_CTX_free>()};
}

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_SHARED_OBJECT_H_
