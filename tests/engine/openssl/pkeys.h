// Operations with keys, for tests of the provider and of the ENGINE. Each takes the library
// context, and the properties that choose the implementation.
#ifndef GHOSTCARD_TESTS_ENGINE_OPENSSL_PKEYS_H_
#define GHOSTCARD_TESTS_ENGINE_OPENSSL_PKEYS_H_

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/engine/openssl/module.h"

namespace tests {

struct KeyForm {
  const char* type;
  const char* group;              // null: none
  unsigned int bits;              // 0: none
  const char* digest = "SHA256";  // for signatures; pure signatures (Ed25519, Ed448) use none
};
inline Pkey MakeKey(OSSL_LIB_CTX* library, const KeyForm& form, const char* properties) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(library, form.type, properties));
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
  std::string group = form.group != nullptr ? form.group : "";
  unsigned int bits = form.bits;
  std::vector<OSSL_PARAM> params;
  if (form.group != nullptr) {
    params.push_back(OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0));
  }
  if (bits != 0) params.push_back(OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits));
  params.push_back(OSSL_PARAM_construct_end());
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_CTX_set_params(context.get(), params.data()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return nullptr;
  }
  return Pkey(key);
}

// A copy of `key` in the provider that `properties` choose.
inline Pkey MoveKey(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* properties) {
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_name(library, EVP_PKEY_get0_type_name(key), properties));
  OSSL_PARAM* params = nullptr;
  EVP_PKEY* moved = nullptr;
  if (context != nullptr && EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) == 1 &&
      EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &moved, EVP_PKEY_KEYPAIR, params);
  }
  OSSL_PARAM_free(params);
  return Pkey(moved);
}

inline std::string Name(const KeyForm& form) {
  return std::string(form.type) + (form.group != nullptr ? std::string(" ") + form.group : "");
}

inline bool IsPure(const KeyForm& form) { return std::strncmp(form.type, "ED", 2) == 0; }

inline Bytes Sign(OSSL_LIB_CTX* library, const KeyForm& form, EVP_PKEY* key, const char* properties,
                  const Bytes& message) {
  const DigestContext context(EVP_MD_CTX_new());
  size_t size = 0;
  Bytes out;
  if (EVP_DigestSignInit_ex(context.get(), nullptr, IsPure(form) ? nullptr : form.digest, library,
                            properties, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return out;
  }
  out.resize(size);
  if (EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) != 1) {
    size = 0;
  }
  out.resize(size);
  return out;
}

inline bool Verify(OSSL_LIB_CTX* library, const KeyForm& form, EVP_PKEY* key,
                   const char* properties, const Bytes& signature, const Bytes& message,
                   const OSSL_PARAM* params = nullptr) {
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, IsPure(form) ? nullptr : form.digest,
                                 library, properties, key, params) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

inline Bytes Agree(OSSL_LIB_CTX* library, EVP_PKEY* own, EVP_PKEY* peer, const char* properties) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, own, properties));
  size_t size = 0;
  Bytes secret;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return secret;
  }
  secret.resize(size);
  if (EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) size = 0;
  secret.resize(size);
  return secret;
}

inline Bytes RsaCrypt(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* properties, bool encrypt,
                      const Bytes& input, int padding = RSA_PKCS1_OAEP_PADDING) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key, properties));
  auto* const init = encrypt ? &EVP_PKEY_encrypt_init : &EVP_PKEY_decrypt_init;
  auto* const crypt = encrypt ? &EVP_PKEY_encrypt : &EVP_PKEY_decrypt;
  size_t size = 0;
  Bytes out;
  if (context == nullptr || init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) != 1 ||
      crypt(context.get(), nullptr, &size, input.data(), input.size()) != 1) {
    return out;
  }
  out.resize(size);
  if (crypt(context.get(), out.data(), &size, input.data(), input.size()) != 1) size = 0;
  out.resize(size);
  return out;
}

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_OPENSSL_PKEYS_H_
