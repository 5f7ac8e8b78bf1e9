// TlsIdentity: a certificate and its key, made in memory, for TLS servers and clients of tools and
// tests. Self-signed, for "localhost" and 127.0.0.1, valid for a day.
//
// Threads: any; functions that take an SSL_CTX: one at a time for each. Ownership: a TlsIdentity is
// a value. Functions that take pointers keep none.
#ifndef GHOSTCARD_TOOLS_TLS_TLS_IDENTITY_H_
#define GHOSTCARD_TOOLS_TLS_TLS_IDENTITY_H_

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"
#include "hwsim/operations/libcrypto.h"

namespace tools::tls {

enum class TlsKey : uint8_t { kRsa2048, kRsa4096, kEcdsaP256 };

}  // namespace tools::tls

template <>
inline constexpr auto hwsim::kNamesOf<tools::tls::TlsKey> =
    std::to_array<hwsim::EnumName<tools::tls::TlsKey>>({
        {tools::tls::TlsKey::kRsa2048, "rsa2048"},
        {tools::tls::TlsKey::kRsa4096, "rsa4096"},
        {tools::tls::TlsKey::kEcdsaP256, "ecdsa_p256"},
    });

namespace tools::tls {

constexpr std::string_view TlsKeyName(TlsKey key) { return hwsim::EnumNames<TlsKey>::NameOf(key); }

struct TlsIdentity {
  std::string key_pem;  // PKCS#8
  std::string certificate_pem;

  // Uses a library context of its own, so that providers and engines of the process play no part.
  // Fails with the message of libcrypto.
  static hwsim::Expected<TlsIdentity> Create(TlsKey key);
};

// An Error of `what` and the messages on this thread's libcrypto error queue. Empties the queue.
hwsim::Error OpensslError(std::string_view what);

// Owners of objects of libssl and libcrypto.
using LibraryPtr = std::unique_ptr<OSSL_LIB_CTX, hwsim::operations::Freer<OSSL_LIB_CTX_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, hwsim::operations::Freer<SSL_CTX_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, hwsim::operations::Freer<SSL_SESSION_free>>;
using SslPtr = std::unique_ptr<SSL, hwsim::operations::Freer<SSL_free>>;

// Gives `context` the identity. Requires: `context` was made with `library` and `properties`.
hwsim::Expected<void> UseIdentity(SSL_CTX* context, OSSL_LIB_CTX* library,
                                  const std::string& properties, const TlsIdentity& identity);
// Makes `context` ask its peer for a certificate, and accept `peer`.
hwsim::Expected<void> DemandIdentity(SSL_CTX* context, OSSL_LIB_CTX* library,
                                     const TlsIdentity& peer);

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_IDENTITY_H_
