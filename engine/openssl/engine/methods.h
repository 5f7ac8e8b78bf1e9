// The ENGINE's methods, for OpenSSL's tables: libcrypto's own methods, with the expensive functions
// replaced by functions that run on the card.
//
// Threads: any. Ownership: the caller owns the RSA and EC methods. Digests and ciphers are made at
// the first use and live until the process ends.
#ifndef GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_
#define GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/rsa.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "engine/openssl/options.h"

namespace engine::openssl::engine {

// RSA sign, verify, encrypt and decrypt, with every padding. Null: no memory.
RSA_METHOD* NewRsaMethod();
// ECDSA sign and verify, ECDH, and key generation, on every curve. Null: no memory.
EC_KEY_METHOD* NewEcMethod();

// The functions for ENGINE_set_digests and ENGINE_set_ciphers. Digests: SHA-1, SHA-2 and SHA-3.
// Ciphers: AES-128/256 in CBC and GCM, ChaCha20-Poly1305. AES in CTR is left out: libcrypto's
// random generators use it, and a pause would leave their state half changed.
int Digests(ENGINE* engine, const EVP_MD** digest, const int** nids, int nid);
int Ciphers(ENGINE* engine, const EVP_CIPHER** cipher, const int** nids, int nid);

// The smallest number of bytes in one call that goes to the card, for the digest or cipher with
// this OpenSSL name ("SHA256", "AES-256-GCM"). It may be changed at any time. Null: the ENGINE has
// no method of that name.
std::atomic<uint32_t>* DigestThreshold(std::string_view name);
std::atomic<uint32_t>* CipherThreshold(std::string_view name);
// Set all thresholds from `options`.
void SetDigestThresholds(const OffloadOptions& options);
void SetCipherThresholds(const OffloadOptions& options);

}  // namespace engine::openssl::engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_METHODS_H_
