// The engine's methods as OpenSSL's tables take them: libcrypto's own, with the costly functions
// replaced by ones that go to the card.
//
// Ownership: the two methods are the caller's; digests and ciphers are the process's, made when
// first asked for.
#ifndef GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_
#define GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/rsa.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "engine/openssl/options.h"

namespace engine {

// RSA sign, verify, encrypt and decrypt, whatever the padding. Null: no memory.
RSA_METHOD* NewRsaMethod();
// ECDSA sign and verify, ECDH, and key generation, on every curve. Null: no memory.
EC_KEY_METHOD* NewEcMethod();

// As ENGINE_set_digests and ENGINE_set_ciphers want them: SHA-1, SHA-2 and SHA-3; AES-128/256 in
// CBC and GCM, ChaCha20-Poly1305. Not AES in CTR: libcrypto's random generators run on it, and
// would pause with their state half way.
int Digests(ENGINE* engine, const EVP_MD** digest, const int** nids, int nid);
int Ciphers(ENGINE* engine, const EVP_CIPHER** cipher, const int** nids, int nid);

// Bytes in one call from which the digest or cipher of OpenSSL's name ("SHA256", "AES-256-GCM")
// goes to the card; may be changed at any time. Null: none of ours has that name.
std::atomic<uint32_t>* DigestThreshold(std::string_view name);
std::atomic<uint32_t>* CipherThreshold(std::string_view name);
// All of them, as `options` has them.
void SetDigestThresholds(const OffloadOptions& options);
void SetCipherThresholds(const OffloadOptions& options);

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_
