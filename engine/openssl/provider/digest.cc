// Digests: SHA-1, SHA-2, SHA-3. Data that reaches the threshold goes to the card.
#include <openssl/core_names.h>

#include <array>

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

constexpr char kSha1Name[] = "SHA1";
constexpr char kSha224Name[] = "SHA2-224";
constexpr char kSha256Name[] = "SHA2-256";
constexpr char kSha384Name[] = "SHA2-384";
constexpr char kSha512Name[] = "SHA2-512";
constexpr char kSha3Bits224Name[] = "SHA3-224";
constexpr char kSha3Bits256Name[] = "SHA3-256";
constexpr char kSha3Bits384Name[] = "SHA3-384";
constexpr char kSha3Bits512Name[] = "SHA3-512";

// The dispatch table of the digest `kName`.
template <const char* kName>
auto DigestTable() {
  return std::to_array<OSSL_DISPATCH>(
      {Entry(OSSL_FUNC_DIGEST_NEWCTX, &New<kName>),
       Entry(OSSL_FUNC_DIGEST_FREECTX, &Free),
       Entry(OSSL_FUNC_DIGEST_DUPCTX, &Duplicate),
       Entry(OSSL_FUNC_DIGEST_INIT, &Init),
       Entry(OSSL_FUNC_DIGEST_UPDATE, &Update),
       Entry(OSSL_FUNC_DIGEST_FINAL, &Final),
       Entry(OSSL_FUNC_DIGEST_GET_PARAMS, &GetParams<kName>),
       Entry(OSSL_FUNC_DIGEST_GETTABLE_PARAMS, &GettableParams<kName>),
       Entry(OSSL_FUNC_DIGEST_SET_CTX_PARAMS, &SetCtxParams),
       Entry(OSSL_FUNC_DIGEST_GET_CTX_PARAMS, &GetCtxParams),
       Entry(OSSL_FUNC_DIGEST_SETTABLE_CTX_PARAMS, &SettableCtxParams<kName>),
       {0, nullptr}});
}

const auto kSha1 = DigestTable<kSha1Name>();
const auto kSha224 = DigestTable<kSha224Name>();
const auto kSha256 = DigestTable<kSha256Name>();
const auto kSha384 = DigestTable<kSha384Name>();
const auto kSha512 = DigestTable<kSha512Name>();
const auto kSha3Bits224 = DigestTable<kSha3Bits224Name>();
const auto kSha3Bits256 = DigestTable<kSha3Bits256Name>();
const auto kSha3Bits384 = DigestTable<kSha3Bits384Name>();
const auto kSha3Bits512 = DigestTable<kSha3Bits512Name>();

}  // namespace

const OSSL_ALGORITHM kDigests[] = {
    {"SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", "provider=ghostcard", kSha1.data(), "SHA-1"},
    {"SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", "provider=ghostcard", kSha224.data(),
     "SHA-224"},
    {"SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", "provider=ghostcard", kSha256.data(),
     "SHA-256"},
    {"SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", "provider=ghostcard", kSha384.data(),
     "SHA-384"},
    {"SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", "provider=ghostcard", kSha512.data(),
     "SHA-512"},
    {"SHA3-224:2.16.840.1.101.3.4.2.7", "provider=ghostcard", kSha3Bits224.data(), "SHA3-224"},
    {"SHA3-256:2.16.840.1.101.3.4.2.8", "provider=ghostcard", kSha3Bits256.data(), "SHA3-256"},
    {"SHA3-384:2.16.840.1.101.3.4.2.9", "provider=ghostcard", kSha3Bits384.data(), "SHA3-384"},
    {"SHA3-512:2.16.840.1.101.3.4.2.10", "provider=ghostcard", kSha3Bits512.data(), "SHA3-512"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
