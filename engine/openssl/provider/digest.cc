// Digests: SHA-1, SHA-2, SHA-3. Data that reaches the threshold goes to the card.
#include <openssl/core_names.h>

#include "engine/openssl/context_change.h"
#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

struct Digest {
  Provider& provider;
  const EVP_MD* md;
  SharedDigestContext inner;
};
Digest& DigestOf(void* ctx) { return *static_cast<Digest*>(ctx); }

template <const char* kName>
const EVP_MD* Fetched() {
  static const EVP_MD* const md = EVP_MD_fetch(Library(), kName, nullptr);
  return md;
}

template <const char* kName>
void* New(void* provctx) {
  const EVP_MD* md = Fetched<kName>();
  if (md == nullptr) return nullptr;
  return new Digest{ProviderOf(provctx), md, NewDigestContext()};
}
void Free(void* ctx) { delete static_cast<Digest*>(ctx); }

void* Duplicate(void* ctx) {
  const Digest& from = DigestOf(ctx);
  auto copy = std::make_unique<Digest>(Digest{from.provider, from.md, NewDigestContext()});
  // Before init there is nothing to copy.
  if (EVP_MD_CTX_get0_md(from.inner.get()) != nullptr &&
      EVP_MD_CTX_copy_ex(copy->inner.get(), from.inner.get()) != 1) {
    return nullptr;
  }
  return copy.release();
}

int Init(void* ctx, const OSSL_PARAM params[]) {
  Digest& digest = DigestOf(ctx);
  return EVP_DigestInit_ex2(digest.inner.get(), digest.md, params) == 1;
}

int Update(void* ctx, const unsigned char* data, size_t bytes) {
  Digest& digest = DigestOf(ctx);
  Offload& offload = *digest.provider.offload;
  if (!offload.ReachesThreshold(SizedWork::kDigest, bytes)) {
    return EVP_DigestUpdate(digest.inner.get(), data, bytes) == 1;
  }
  ContextChange change(digest.inner);
  Operation<Call> operation(
      hwsim::operations::OperationKind::kSha256, bytes, 0,
      change.Function([input = CallBytes(data, bytes)](EVP_MD_CTX& inner, CallBytes&) {
        return EVP_DigestUpdate(&inner, input.data(), input.size()) == 1;
      }));
  return change.End(MakeCall(offload, operation));
}

int Final(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max) {
  Digest& digest = DigestOf(ctx);
  const auto size = static_cast<size_t>(EVP_MD_get_size(digest.md));
  if (out_bytes_max < size) return 0;
  unsigned int written = 0;
  if (EVP_DigestFinal_ex(digest.inner.get(), out, &written) != 1) return 0;
  *out_bytes = written;
  return 1;
}

template <const char* kName>
int GetParams(OSSL_PARAM params[]) {
  const EVP_MD* md = Fetched<kName>();
  return md != nullptr && EVP_MD_get_params(md, params) == 1;
}
template <const char* kName>
const OSSL_PARAM* GettableParams(void*) {
  const EVP_MD* md = Fetched<kName>();
  return md != nullptr ? EVP_MD_gettable_params(md) : nullptr;
}
int SetCtxParams(void* ctx, const OSSL_PARAM params[]) {
  return params == nullptr || params->key == nullptr ||
         EVP_MD_CTX_set_params(DigestOf(ctx).inner.get(), params) == 1;
}
int GetCtxParams(void* ctx, OSSL_PARAM params[]) {
  return EVP_MD_CTX_get_params(DigestOf(ctx).inner.get(), params) == 1;
}
template <const char* kName>
const OSSL_PARAM* SettableCtxParams(void*, void*) {
  const EVP_MD* md = Fetched<kName>();
  return md != nullptr ? EVP_MD_settable_ctx_params(md) : nullptr;
}

#define GHOSTCARD_DIGEST(table, name)                                                \
  constexpr char table##_name[] = name;                                              \
  const OSSL_DISPATCH table[] = {                                                    \
      Entry(OSSL_FUNC_DIGEST_NEWCTX, &New<table##_name>),                            \
      Entry(OSSL_FUNC_DIGEST_FREECTX, &Free),                                        \
      Entry(OSSL_FUNC_DIGEST_DUPCTX, &Duplicate),                                    \
      Entry(OSSL_FUNC_DIGEST_INIT, &Init),                                           \
      Entry(OSSL_FUNC_DIGEST_UPDATE, &Update),                                       \
      Entry(OSSL_FUNC_DIGEST_FINAL, &Final),                                         \
      Entry(OSSL_FUNC_DIGEST_GET_PARAMS, &GetParams<table##_name>),                  \
      Entry(OSSL_FUNC_DIGEST_GETTABLE_PARAMS, &GettableParams<table##_name>),        \
      Entry(OSSL_FUNC_DIGEST_SET_CTX_PARAMS, &SetCtxParams),                         \
      Entry(OSSL_FUNC_DIGEST_GET_CTX_PARAMS, &GetCtxParams),                         \
      Entry(OSSL_FUNC_DIGEST_SETTABLE_CTX_PARAMS, &SettableCtxParams<table##_name>), \
      {0, nullptr}}

GHOSTCARD_DIGEST(kSha1, "SHA1");
GHOSTCARD_DIGEST(kSha224, "SHA2-224");
GHOSTCARD_DIGEST(kSha256, "SHA2-256");
GHOSTCARD_DIGEST(kSha384, "SHA2-384");
GHOSTCARD_DIGEST(kSha512, "SHA2-512");
GHOSTCARD_DIGEST(kSha3_224, "SHA3-224");
GHOSTCARD_DIGEST(kSha3_256, "SHA3-256");
GHOSTCARD_DIGEST(kSha3_384, "SHA3-384");
GHOSTCARD_DIGEST(kSha3_512, "SHA3-512");

}  // namespace

const OSSL_ALGORITHM kDigests[] = {
    {"SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", "provider=ghostcard", kSha1, "SHA-1"},
    {"SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", "provider=ghostcard", kSha224, "SHA-224"},
    {"SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", "provider=ghostcard", kSha256, "SHA-256"},
    {"SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", "provider=ghostcard", kSha384, "SHA-384"},
    {"SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", "provider=ghostcard", kSha512, "SHA-512"},
    {"SHA3-224:2.16.840.1.101.3.4.2.7", "provider=ghostcard", kSha3_224, "SHA3-224"},
    {"SHA3-256:2.16.840.1.101.3.4.2.8", "provider=ghostcard", kSha3_256, "SHA3-256"},
    {"SHA3-384:2.16.840.1.101.3.4.2.9", "provider=ghostcard", kSha3_384, "SHA3-384"},
    {"SHA3-512:2.16.840.1.101.3.4.2.10", "provider=ghostcard", kSha3_512, "SHA3-512"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
