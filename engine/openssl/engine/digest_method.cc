#include <openssl/evp.h>
#include <openssl/objects.h>

#include <array>
#include <atomic>
#include <string_view>
#include <utility>

#include "engine/openssl/context_change.h"
#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"
#include "engine/openssl/shared_object.h"

namespace engine::openssl::engine {

namespace {

// A digest of this ENGINE. `libcrypto_digest` is a copy of libcrypto's own digest under a number
// that no ENGINE serves: under its own number, libcrypto would call this ENGINE again.
struct Digest {
  const EVP_MD* (*libcrypto)();
  int nid;
  std::string_view name;
  hwsim::operations::OperationKind kind = hwsim::operations::OperationKind::kOther;
  std::atomic<uint32_t> threshold{0};  // relaxed: no other data depends on it
  EVP_MD* engine_digest = nullptr;
  EVP_MD* libcrypto_digest = nullptr;
};

// The place in `context`, OpenSSL's context, that holds the inner context. It contains null before
// init and after cleanup.
SharedDigestContext*& SlotOf(const EVP_MD_CTX* context) {
  return *static_cast<SharedDigestContext**>(EVP_MD_CTX_get0_md_data(context));
}

template <size_t kIndex>
Digest& Nth();

template <size_t kIndex>
int Init(EVP_MD_CTX* context) {
  SharedDigestContext*& slot = SlotOf(context);
  delete slot;
  slot = new SharedDigestContext(NewDigestContext());
  return EVP_DigestInit_ex(slot->get(), Nth<kIndex>().libcrypto_digest, nullptr);
}

template <size_t kIndex>
int Update(EVP_MD_CTX* context, const void* data, size_t size) {
  if (SlotOf(context) == nullptr) return 0;
  SharedDigestContext& state = *SlotOf(context);
  const Digest& digest = Nth<kIndex>();
  if (size < digest.threshold.load(std::memory_order_relaxed) ||
      !Module::Get().GoesToCard(Algorithm::kDigest)) {
    return EVP_DigestUpdate(state.get(), data, size);
  }
  ContextChange change(state);
  Operation<Call> call(
      digest.kind, size, 0,
      Module::Get().WrapForCard(
          RequestClass::kCipher,
          change.Function([input = CallBytes(static_cast<const unsigned char*>(data), size)](
                              EVP_MD_CTX& inner, CallBytes&) {
            return EVP_DigestUpdate(&inner, input.data(), input.size()) == 1;
          })));
  return change.End(Module::Get().Run(call)) ? 1 : 0;
}

int Final(EVP_MD_CTX* context, unsigned char* digest) {
  if (SlotOf(context) == nullptr) return 0;
  return EVP_DigestFinal_ex(SlotOf(context)->get(), digest, nullptr);
}

int Copy(EVP_MD_CTX* to, const EVP_MD_CTX* from) {
  // libcrypto has copied the pointer to the inner context; give `to` an inner context of its own.
  const SharedDigestContext* const source = SlotOf(from);
  if (source == nullptr) return 1;
  SlotOf(to) = new SharedDigestContext(NewDigestContext());
  return EVP_MD_CTX_copy_ex(SlotOf(to)->get(), source->get());
}

int Cleanup(EVP_MD_CTX* context) {
  if (EVP_MD_CTX_get0_md_data(context) == nullptr) return 1;
  delete std::exchange(SlotOf(context), nullptr);
  return 1;
}

constexpr size_t kDigests = 9;
std::array<Digest, kDigests>& All() {
  static std::array<Digest, kDigests> digests = {{
      {EVP_sha1, NID_sha1, "SHA1"},
      {EVP_sha224, NID_sha224, "SHA224"},
      {EVP_sha256, NID_sha256, "SHA256", hwsim::operations::OperationKind::kSha256},
      {EVP_sha384, NID_sha384, "SHA384"},
      {EVP_sha512, NID_sha512, "SHA512"},
      {EVP_sha3_224, NID_sha3_224, "SHA3-224"},
      {EVP_sha3_256, NID_sha3_256, "SHA3-256"},
      {EVP_sha3_384, NID_sha3_384, "SHA3-384"},
      {EVP_sha3_512, NID_sha3_512, "SHA3-512"},
  }};
  return digests;
}

template <size_t kIndex>
Digest& Nth() {
  return All()[kIndex];
}

EVP_MD* NewLike(const EVP_MD* model, int nid) {
  EVP_MD* const made = EVP_MD_meth_new(nid, EVP_MD_get_pkey_type(model));
  if (made == nullptr) return nullptr;
  EVP_MD_meth_set_input_blocksize(made, EVP_MD_get_block_size(model));
  EVP_MD_meth_set_result_size(made, EVP_MD_get_size(model));
  EVP_MD_meth_set_flags(made, EVP_MD_get_flags(model));
  return made;
}

// Larger than the state of any of libcrypto's digests; libcrypto does not tell the sizes.
constexpr int kLibcryptoStateBytes = 1024;

template <size_t kIndex>
void Make() {
  Digest& digest = Nth<kIndex>();
  const EVP_MD* const model = digest.libcrypto();
  digest.libcrypto_digest = NewLike(model, NID_undef);
  EVP_MD_meth_set_app_datasize(digest.libcrypto_digest, kLibcryptoStateBytes);
  EVP_MD_meth_set_init(digest.libcrypto_digest, EVP_MD_meth_get_init(model));
  EVP_MD_meth_set_update(digest.libcrypto_digest, EVP_MD_meth_get_update(model));
  EVP_MD_meth_set_final(digest.libcrypto_digest, EVP_MD_meth_get_final(model));
  EVP_MD_meth_set_copy(digest.libcrypto_digest, EVP_MD_meth_get_copy(model));
  EVP_MD_meth_set_cleanup(digest.libcrypto_digest, EVP_MD_meth_get_cleanup(model));
  EVP_MD_meth_set_ctrl(digest.libcrypto_digest, EVP_MD_meth_get_ctrl(model));

  digest.engine_digest = NewLike(model, digest.nid);
  EVP_MD_meth_set_app_datasize(digest.engine_digest, sizeof(SharedDigestContext*));
  EVP_MD_meth_set_init(digest.engine_digest, Init<kIndex>);
  EVP_MD_meth_set_update(digest.engine_digest, Update<kIndex>);
  EVP_MD_meth_set_final(digest.engine_digest, Final);
  EVP_MD_meth_set_copy(digest.engine_digest, Copy);
  EVP_MD_meth_set_cleanup(digest.engine_digest, Cleanup);
}

template <size_t... kIndices>
std::array<int, kDigests> MakeAll(std::index_sequence<kIndices...>) {
  (Make<kIndices>(), ...);
  return {Nth<kIndices>().nid...};
}

}  // namespace

std::atomic<uint32_t>* DigestThreshold(std::string_view name) {
  for (Digest& digest : All()) {
    if (digest.name == name) return &digest.threshold;
  }
  return nullptr;
}

void SetDigestThresholds(const OffloadOptions& options) {
  for (Digest& digest : All()) {
    digest.threshold.store(options.threshold(SizedWork::kDigest), std::memory_order_relaxed);
  }
}

int Digests(ENGINE*, const EVP_MD** digest, const int** nids, int nid) {
  static const std::array<int, kDigests> all = MakeAll(std::make_index_sequence<kDigests>());
  if (digest == nullptr) {
    *nids = all.data();
    return static_cast<int>(all.size());
  }
  *digest = nullptr;
  for (const Digest& known : All()) {
    if (known.nid == nid) *digest = known.engine_digest;
  }
  return *digest != nullptr ? 1 : 0;
}

}  // namespace engine::openssl::engine
