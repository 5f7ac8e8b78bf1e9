// The provider's own state, and what its files share.
//
// Each algorithm wraps the default provider's: an object of ours holds an object of libcrypto's,
// fetched in a library context of our own, and hands on parameters as they are. What costs
// much is made a Call of the card's. Objects that a call uses are counted (std::shared_ptr), so
// that one which is freed while its job waits lives until the card lets go of it.
//
// Threads: a provider context from any; every other object by one at a time, as libcrypto says.
#ifndef GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_
#define GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include <memory>

#include "engine/openssl/call.h"
#include "engine/openssl/offload.h"
#include "engine/openssl/shared_object.h"

namespace engine::provider {

// The provider context of all dispatch functions, from OSSL_provider_init to teardown.
struct Provider {
  const OSSL_CORE_HANDLE* core = nullptr;
  Offload* offload = nullptr;
};
// The library context of our own: the default provider, and nothing of the program's. One for the
// process, never freed.
OSSL_LIB_CTX* Library();
inline Provider& ProviderOf(void* provctx) { return *static_cast<Provider*>(provctx); }

// A dispatch table's entry.
template <typename Function>
OSSL_DISPATCH Entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

// A key: keymgmt's object. Others read it, and take a reference to what is in it.
struct Key {
  Provider& provider;
  const char* type;   // the default provider's name for it: "RSA", "EC", "X25519" ...
  SharedPkey pkey;    // null: nothing has been put in yet
  int selection = 0;  // which parts are there
};
inline const Key& KeyOf(const void* keydata) { return *static_cast<const Key*>(keydata); }
SharedPkeyContext NewPkeyContext(const Key& key);

// What a private-key operation with that key costs the time of.
hwsim::OperationKind CostOf(const Key& key);

// Copies a call's output to where OpenSSL wants it. False: it does not fit.
bool GiveOutput(const CallBytes& from, unsigned char* out, size_t* out_bytes, size_t out_bytes_max);

// The tables that OSSL_PROVIDER's query operation answers with.
extern const OSSL_ALGORITHM kDigests[];
extern const OSSL_ALGORITHM kCiphers[];
extern const OSSL_ALGORITHM kMacs[];
extern const OSSL_ALGORITHM kKdfs[];
extern const OSSL_ALGORITHM kKeyManagers[];
extern const OSSL_ALGORITHM kSignatures[];
extern const OSSL_ALGORITHM kKeyExchanges[];
extern const OSSL_ALGORITHM kAsymmetricCiphers[];

// As OSSL_FUNC_PROVIDER_GET_CAPABILITIES: what libssl asks for.
int GetCapabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback, void* argument);

}  // namespace engine::provider

#endif  // GHOSTCARD_ENGINE_OPENSSL_PROVIDER_PROVIDER_H_
