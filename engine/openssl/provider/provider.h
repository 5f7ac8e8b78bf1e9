// The provider's state, and what its files share.
//
// Each algorithm wraps the default provider's: an object of this provider holds an inner object of
// libcrypto, fetched in the provider's own library context, and passes parameters on unchanged.
// Expensive work becomes a Call for the card. A call shares the objects that it uses (see
// shared_object.h), so an object that is freed while its job waits lives until the call is gone.
//
// Threads: the provider context: any. Other objects: one at a time, as libcrypto requires.
// Ownership: libcrypto owns each object and frees it with its dispatch function.
#ifndef GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_
#define GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include <memory>

#include "engine/openssl/call.h"
#include "engine/openssl/offload.h"
#include "engine/openssl/shared_object.h"

namespace engine::openssl::provider {

// The provider context of all dispatch functions; lives from OSSL_provider_init to teardown.
struct Provider {
  const OSSL_CORE_HANDLE* core = nullptr;
  Offload* offload = nullptr;
};
// The provider's own library context: it has the default provider only, not the program's
// providers. One for the process, never freed. Null: it cannot be made.
OSSL_LIB_CTX* Library();
inline Provider& ProviderOf(void* provctx) { return *static_cast<Provider*>(provctx); }

// An entry of a dispatch table.
template <typename Function>
OSSL_DISPATCH Entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

// A key, the object of key management. Other algorithms read it and share its pkey.
struct Key {
  Provider& provider;
  const char* type;   // the default provider's name: "RSA", "EC", "X25519" ...
  SharedPkey pkey;    // null: the key is still empty
  int selection = 0;  // the parts that the key has
};
inline const Key& KeyOf(const void* keydata) { return *static_cast<const Key*>(keydata); }
SharedPkeyContext NewPkeyContext(const Key& key);  // null: the key is empty, or no memory

// The operation whose service time the card charges for a private-key operation with this key.
hwsim::operations::OperationKind PrivateKeyKind(const Key& key);

// Copies a call's output to OpenSSL's buffer. False: it does not fit, and the thread's error queue
// says so.
bool CopyOutput(const CallBytes& from, unsigned char* out, size_t* out_bytes, size_t out_bytes_max);

// The tables that the provider's query function returns.
extern const OSSL_ALGORITHM kDigests[];
extern const OSSL_ALGORITHM kCiphers[];
extern const OSSL_ALGORITHM kMacs[];
extern const OSSL_ALGORITHM kKdfs[];
extern const OSSL_ALGORITHM kKeyManagers[];
extern const OSSL_ALGORITHM kSignatures[];
extern const OSSL_ALGORITHM kKeyExchanges[];
extern const OSSL_ALGORITHM kAsymmetricCiphers[];

// OSSL_FUNC_PROVIDER_GET_CAPABILITIES: tells libssl the groups for key exchange in TLS.
int GetCapabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback, void* argument);

}  // namespace engine::openssl::provider

#endif  // GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_
