#include "hwsim/operations/libcrypto.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "hwsim/base/check.h"

namespace hwsim::operations {

namespace {

CardLibrary* NewLibrary() {
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  return new CardLibrary{.context = context,
                         .provider = OSSL_PROVIDER_load(context, "default"),
                         .sha256 = EVP_MD_fetch(context, "SHA256", nullptr),
                         .aes128_gcm = EVP_CIPHER_fetch(context, "AES-128-GCM", nullptr),
                         .aes256_gcm = EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr)};
}

}  // namespace

const CardLibrary& CardLibrary::Get() {
  static const CardLibrary* const library = NewLibrary();
  GHOSTCARD_CHECK(library->provider != nullptr && library->sha256 != nullptr,
                  "libcrypto's default provider can be loaded");
  return *library;
}

std::string LastLibcryptoError() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

}  // namespace hwsim::operations
