// TlsIdentity: a certificate and its key, made in memory, for servers and clients of tools and
// tests. Self-signed, for "localhost" and 127.0.0.1, valid for a day.
#ifndef GHOSTCARD_TOOLS_TLS_IDENTITY_H_
#define GHOSTCARD_TOOLS_TLS_IDENTITY_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hwsim/error.h"

namespace tools {

enum class TlsKey : uint8_t { kRsa2048, kRsa4096, kEcdsaP256 };
std::string_view TlsKeyName(TlsKey key);  // "rsa2048", "rsa4096", "ecdsa_p256"

struct TlsIdentity {
  std::string key_pem;  // PKCS#8
  std::string certificate_pem;

  // Made in a library context of its own, so that no provider or engine of the process's takes
  // part.
  static hwsim::Expected<TlsIdentity> Create(TlsKey key);
};

// What libcrypto last complained of on this thread, after `what`; empties its queue.
hwsim::Error OpensslError(std::string_view what);

struct OpensslDeleter {
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const;
  void operator()(SSL_SESSION* session) const;
  void operator()(OSSL_LIB_CTX* library) const;
  void operator()(EVP_PKEY* key) const;
  void operator()(X509* certificate) const;
  void operator()(BIO* bio) const;
};
template <typename T>
using OpensslPtr = std::unique_ptr<T, OpensslDeleter>;

// Gives `context` the identity, read by the library context and with the properties that `context`
// was made with.
hwsim::Expected<void> UseIdentity(SSL_CTX* context, OSSL_LIB_CTX* library,
                                  const std::string& properties, const TlsIdentity& identity);
// Makes `context` demand a certificate of its peer, and accept this one.
hwsim::Expected<void> DemandIdentity(SSL_CTX* context, OSSL_LIB_CTX* library,
                                     const TlsIdentity& peer);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_IDENTITY_H_
