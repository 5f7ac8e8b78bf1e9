// HMAC, and the key derivations of TLS: HKDF, TLS13-KDF, TLS1-PRF.
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <array>

#include "engine/openssl/context_change.h"
#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

// --- HMAC ---

struct Mac {
  Provider& provider;
  SharedMacContext inner;
};
Mac& MacOf(void* ctx) { return *static_cast<Mac*>(ctx); }

EVP_MAC* Hmac() {
  static EVP_MAC* const hmac = EVP_MAC_fetch(Library(), "HMAC", nullptr);
  return hmac;
}

void* NewMac(void* provctx) {
  auto inner = Own(EVP_MAC_CTX_new(Hmac()));
  return inner != nullptr ? new Mac{ProviderOf(provctx), std::move(inner)} : nullptr;
}
void FreeMac(void* ctx) { delete static_cast<Mac*>(ctx); }
void* DuplicateMac(void* ctx) {
  auto inner = Own(EVP_MAC_CTX_dup(MacOf(ctx).inner.get()));
  return inner != nullptr ? new Mac{MacOf(ctx).provider, std::move(inner)} : nullptr;
}
int InitMac(void* ctx, const unsigned char* key, size_t key_bytes, const OSSL_PARAM params[]) {
  return EVP_MAC_init(MacOf(ctx).inner.get(), key, key_bytes, params) == 1;
}
int UpdateMac(void* ctx, const unsigned char* data, size_t bytes) {
  Mac& mac = MacOf(ctx);
  Offload& offload = *mac.provider.offload;
  if (!offload.ReachesThreshold(SizedWork::kMac, bytes)) {
    return EVP_MAC_update(mac.inner.get(), data, bytes) == 1;
  }
  ContextChange change(mac.inner);
  Operation<Call> operation(
      hwsim::operations::OperationKind::kSha256, bytes, 0,
      change.Function([input = CallBytes(data, bytes)](EVP_MAC_CTX& inner, CallBytes&) {
        return EVP_MAC_update(&inner, input.data(), input.size()) == 1;
      }));
  return change.End(MakeCall(offload, operation));
}
int FinalMac(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max) {
  return EVP_MAC_final(MacOf(ctx).inner.get(), out, out_bytes, out_bytes_max) == 1;
}
int GetMacParams(void* ctx, OSSL_PARAM params[]) {
  return EVP_MAC_CTX_get_params(MacOf(ctx).inner.get(), params) == 1;
}
int SetMacParams(void* ctx, const OSSL_PARAM params[]) {
  return EVP_MAC_CTX_set_params(MacOf(ctx).inner.get(), params) == 1;
}
const OSSL_PARAM* GettableMacParams(void*, void*) { return EVP_MAC_gettable_ctx_params(Hmac()); }
const OSSL_PARAM* SettableMacParams(void*, void*) { return EVP_MAC_settable_ctx_params(Hmac()); }

const OSSL_DISPATCH kHmac[] = {Entry(OSSL_FUNC_MAC_NEWCTX, &NewMac),
                               Entry(OSSL_FUNC_MAC_FREECTX, &FreeMac),
                               Entry(OSSL_FUNC_MAC_DUPCTX, &DuplicateMac),
                               Entry(OSSL_FUNC_MAC_INIT, &InitMac),
                               Entry(OSSL_FUNC_MAC_UPDATE, &UpdateMac),
                               Entry(OSSL_FUNC_MAC_FINAL, &FinalMac),
                               Entry(OSSL_FUNC_MAC_GET_CTX_PARAMS, &GetMacParams),
                               Entry(OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, &GettableMacParams),
                               Entry(OSSL_FUNC_MAC_SET_CTX_PARAMS, &SetMacParams),
                               Entry(OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, &SettableMacParams),
                               {0, nullptr}};

// --- key derivation ---

struct Kdf {
  Provider& provider;
  SharedKdfContext inner;
};
Kdf& KdfOf(void* ctx) { return *static_cast<Kdf*>(ctx); }

template <const char* kName>
EVP_KDF* FetchedKdf() {
  static EVP_KDF* const kdf = EVP_KDF_fetch(Library(), kName, nullptr);
  return kdf;
}

template <const char* kName>
void* NewKdf(void* provctx) {
  auto inner = Own(EVP_KDF_CTX_new(FetchedKdf<kName>()));
  return inner != nullptr ? new Kdf{ProviderOf(provctx), std::move(inner)} : nullptr;
}
void FreeKdf(void* ctx) { delete static_cast<Kdf*>(ctx); }
void* DuplicateKdf(void* ctx) {
  auto inner = Own(EVP_KDF_CTX_dup(KdfOf(ctx).inner.get()));
  return inner != nullptr ? new Kdf{KdfOf(ctx).provider, std::move(inner)} : nullptr;
}
void ResetKdf(void* ctx) { EVP_KDF_CTX_reset(KdfOf(ctx).inner.get()); }

int Derive(void* ctx, unsigned char* out, size_t out_bytes, const OSSL_PARAM params[]) {
  Kdf& kdf = KdfOf(ctx);
  Offload& offload = *kdf.provider.offload;
  if (!offload.ReachesThreshold(SizedWork::kKdf, out_bytes)) {
    return EVP_KDF_derive(kdf.inner.get(), out, out_bytes, params) == 1;
  }
  // Set them now, so that the call need not own copies of the parameters.
  if (params != nullptr && EVP_KDF_CTX_set_params(kdf.inner.get(), params) != 1) return 0;
  Operation<Call> operation(hwsim::operations::OperationKind::kOther, out_bytes, out_bytes,
                            [inner = kdf.inner](CallBytes& to) {
                              return EVP_KDF_derive(inner.get(), to.data(), to.size(), nullptr) ==
                                     1;
                            });
  size_t written = 0;
  return MakeCall(offload, operation) && CopyOutput(operation->out(), out, &written, out_bytes);
}
int GetKdfParams(void* ctx, OSSL_PARAM params[]) {
  return EVP_KDF_CTX_get_params(KdfOf(ctx).inner.get(), params) == 1;
}
int SetKdfParams(void* ctx, const OSSL_PARAM params[]) {
  return params == nullptr || params->key == nullptr ||
         EVP_KDF_CTX_set_params(KdfOf(ctx).inner.get(), params) == 1;
}
template <const char* kName>
const OSSL_PARAM* GettableKdfParams(void*, void*) {
  return EVP_KDF_gettable_ctx_params(FetchedKdf<kName>());
}
template <const char* kName>
const OSSL_PARAM* SettableKdfParams(void*, void*) {
  return EVP_KDF_settable_ctx_params(FetchedKdf<kName>());
}

constexpr char kHkdfName[] = "HKDF";
constexpr char kTls13KdfName[] = "TLS13-KDF";
constexpr char kTls1PrfName[] = "TLS1-PRF";

// The dispatch table of the key derivation `kName`.
template <const char* kName>
auto KdfTable() {
  return std::to_array<OSSL_DISPATCH>(
      {Entry(OSSL_FUNC_KDF_NEWCTX, &NewKdf<kName>),
       Entry(OSSL_FUNC_KDF_FREECTX, &FreeKdf),
       Entry(OSSL_FUNC_KDF_DUPCTX, &DuplicateKdf),
       Entry(OSSL_FUNC_KDF_RESET, &ResetKdf),
       Entry(OSSL_FUNC_KDF_DERIVE, &Derive),
       Entry(OSSL_FUNC_KDF_GET_CTX_PARAMS, &GetKdfParams),
       Entry(OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, &GettableKdfParams<kName>),
       Entry(OSSL_FUNC_KDF_SET_CTX_PARAMS, &SetKdfParams),
       Entry(OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, &SettableKdfParams<kName>),
       {0, nullptr}});
}

const auto kHkdf = KdfTable<kHkdfName>();
const auto kTls13Kdf = KdfTable<kTls13KdfName>();
const auto kTls1Prf = KdfTable<kTls1PrfName>();

}  // namespace

const OSSL_ALGORITHM kMacs[] = {{"HMAC", "provider=ghostcard", kHmac, "HMAC"},
                                {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM kKdfs[] = {
    {"HKDF", "provider=ghostcard", kHkdf.data(), "HKDF"},
    {"TLS13-KDF", "provider=ghostcard", kTls13Kdf.data(), "TLS 1.3 KDF"},
    {"TLS1-PRF", "provider=ghostcard", kTls1Prf.data(), "TLS 1.2 PRF"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
