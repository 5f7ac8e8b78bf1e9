#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/openssl/context_change.h"
#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"
#include "engine/openssl/shared_object.h"

namespace engine::openssl::engine {

namespace {

// A cipher of this ENGINE. `libcrypto_cipher` is a copy of libcrypto's own cipher under a number
// that no ENGINE serves: under its own number, libcrypto would call this ENGINE again.
struct Cipher {
  const EVP_CIPHER* (*libcrypto)();
  int nid;
  std::string_view name;
  Algorithm algorithm;
  SizedWork sized_as;
  hwsim::operations::OperationKind kind = hwsim::operations::OperationKind::kOther;
  std::atomic<uint32_t> threshold{0};  // relaxed: no other data depends on it
  EVP_CIPHER* engine_cipher = nullptr;
  EVP_CIPHER* libcrypto_cipher = nullptr;
};

const Cipher& CipherOf(const EVP_CIPHER_CTX* context);

// The place in `context`, OpenSSL's context, that holds the inner context. The inner context uses
// libcrypto's own cipher.
SharedCipherContext*& SlotOf(const EVP_CIPHER_CTX* context) {
  return *static_cast<SharedCipherContext**>(EVP_CIPHER_CTX_get_cipher_data(context));
}

// The result with which this cipher's EVP_Cipher reports a failure.
int FailureOf(const Cipher& cipher) {
  const auto flags = static_cast<unsigned long>(EVP_CIPHER_get_flags(cipher.libcrypto_cipher));
  return (flags & EVP_CIPH_FLAG_CUSTOM_CIPHER) != 0 ? -1 : 0;
}

// Runs EVP_Cipher on the card and returns its result.
int DoOnCard(const Cipher& cipher, SharedCipherContext& state, unsigned char* out,
             const unsigned char* in, size_t size) {
  ContextChange change(state);
  const auto result = std::make_shared<int>(-1);
  // In place, in the call's own bytes: libcrypto's AEADs process a TLS record only in place.
  Operation<Call> call(
      cipher.kind, size, size,
      Module::Get().WrapForCard(RequestClass::kCipher,
                                change.Function([result, input = CallBytes(in, size)](
                                                    EVP_CIPHER_CTX& inner, CallBytes& data) {
                                  std::memcpy(data.data(), input.data(), input.size());
                                  *result = EVP_Cipher(&inner, data.data(), data.data(),
                                                       static_cast<unsigned int>(data.size()));
                                  return *result > 0;
                                })));
  if (!change.End(Module::Get().Run(call))) return FailureOf(cipher);
  std::memcpy(out, call->out().data(), size);
  return *result;
}

// libcrypto reports CBC's running IV from the outer context, so copy it there.
void CopyIv(EVP_CIPHER_CTX* context, const EVP_CIPHER_CTX* inner) {
  if (EVP_CIPHER_CTX_get_mode(context) != EVP_CIPH_CBC_MODE) return;
  std::memcpy(EVP_CIPHER_CTX_iv_noconst(context), EVP_CIPHER_CTX_iv(inner),
              static_cast<size_t>(EVP_CIPHER_CTX_get_iv_length(context)));
}

// A null `out` means that `in` is additional data, a null `in` means the end of the message. Both
// stay in the caller.
int DoCipher(EVP_CIPHER_CTX* context, unsigned char* out, const unsigned char* in, size_t size) {
  SharedCipherContext& state = *SlotOf(context);
  const Cipher& cipher = CipherOf(context);
  const bool on_card = out != nullptr && in != nullptr && size > 0 &&
                       size >= cipher.threshold.load(std::memory_order_relaxed) &&
                       Module::Get().GoesToCard(cipher.algorithm);
  const int result = on_card ? DoOnCard(cipher, state, out, in, size)
                             : EVP_Cipher(state.get(), out, in, static_cast<unsigned int>(size));
  CopyIv(context, state.get());
  return result;
}

int Init(EVP_CIPHER_CTX* context, const unsigned char* key, const unsigned char* iv, int encrypt) {
  return EVP_CipherInit_ex(SlotOf(context)->get(), nullptr, nullptr, key, iv, encrypt);
}

int Control(EVP_CIPHER_CTX* context, int type, int argument, void* pointer) {
  SharedCipherContext*& slot = SlotOf(context);
  if (type == EVP_CTRL_INIT) {
    delete slot;
    slot = new SharedCipherContext(NewCipherContext());
    return EVP_CipherInit_ex(slot->get(), CipherOf(context).libcrypto_cipher, nullptr, nullptr,
                             nullptr, EVP_CIPHER_CTX_is_encrypting(context));
  }
  if (type == EVP_CTRL_COPY) {
    SharedCipherContext copy = CopyOf(**slot);
    if (copy == nullptr) return 0;
    SlotOf(static_cast<EVP_CIPHER_CTX*>(pointer)) = new SharedCipherContext(std::move(copy));
    return 1;
  }
  const auto control = EVP_CIPHER_meth_get_ctrl(CipherOf(context).libcrypto_cipher);
  return control == nullptr ? -1 : control(slot->get(), type, argument, pointer);
}

int Cleanup(EVP_CIPHER_CTX* context) {
  if (EVP_CIPHER_CTX_get_cipher_data(context) == nullptr) return 1;
  delete std::exchange(SlotOf(context), nullptr);
  return 1;
}

constexpr size_t kCiphers = 5;
std::array<Cipher, kCiphers>& All() {
  using hwsim::operations::OperationKind;
  static std::array<Cipher, kCiphers> ciphers = {{
      {EVP_aes_128_cbc, NID_aes_128_cbc, "AES-128-CBC", Algorithm::kAesCbc, SizedWork::kCbc},
      {EVP_aes_256_cbc, NID_aes_256_cbc, "AES-256-CBC", Algorithm::kAesCbc, SizedWork::kCbc},
      {EVP_aes_128_gcm, NID_aes_128_gcm, "AES-128-GCM", Algorithm::kAesGcm, SizedWork::kGcm,
       OperationKind::kAes128Gcm},
      {EVP_aes_256_gcm, NID_aes_256_gcm, "AES-256-GCM", Algorithm::kAesGcm, SizedWork::kGcm,
       OperationKind::kAes256Gcm},
      {EVP_chacha20_poly1305, NID_chacha20_poly1305, "ChaCha20-Poly1305", Algorithm::kChaChaPoly,
       SizedWork::kChaCha20Poly1305},
  }};
  return ciphers;
}

const Cipher& CipherOf(const EVP_CIPHER_CTX* context) {
  const int nid = EVP_CIPHER_CTX_get_nid(context);
  return *std::ranges::find(All(), nid, &Cipher::nid);
}

EVP_CIPHER* NewLike(const EVP_CIPHER* model, int nid, unsigned long more_flags) {
  EVP_CIPHER* const made =
      EVP_CIPHER_meth_new(nid, EVP_CIPHER_get_block_size(model), EVP_CIPHER_get_key_length(model));
  if (made == nullptr) return nullptr;
  EVP_CIPHER_meth_set_iv_length(made, EVP_CIPHER_get_iv_length(model));
  EVP_CIPHER_meth_set_flags(made, EVP_CIPHER_get_flags(model) | more_flags);
  EVP_CIPHER_meth_set_set_asn1_params(made, EVP_CIPHER_meth_get_set_asn1_params(model));
  EVP_CIPHER_meth_set_get_asn1_params(made, EVP_CIPHER_meth_get_get_asn1_params(model));
  return made;
}

// Fills in both methods of `cipher`. Returns its number.
int MakeCipher(Cipher& cipher) {
  const EVP_CIPHER* const model = cipher.libcrypto();
  cipher.libcrypto_cipher = NewLike(model, NID_undef, 0);
  EVP_CIPHER_meth_set_impl_ctx_size(cipher.libcrypto_cipher, EVP_CIPHER_impl_ctx_size(model));
  EVP_CIPHER_meth_set_init(cipher.libcrypto_cipher, EVP_CIPHER_meth_get_init(model));
  EVP_CIPHER_meth_set_do_cipher(cipher.libcrypto_cipher, EVP_CIPHER_meth_get_do_cipher(model));
  EVP_CIPHER_meth_set_cleanup(cipher.libcrypto_cipher, EVP_CIPHER_meth_get_cleanup(model));
  EVP_CIPHER_meth_set_ctrl(cipher.libcrypto_cipher, EVP_CIPHER_meth_get_ctrl(model));

  cipher.engine_cipher = NewLike(
      model, cipher.nid, EVP_CIPH_ALWAYS_CALL_INIT | EVP_CIPH_CTRL_INIT | EVP_CIPH_CUSTOM_COPY);
  EVP_CIPHER_meth_set_impl_ctx_size(cipher.engine_cipher, sizeof(SharedCipherContext*));
  EVP_CIPHER_meth_set_init(cipher.engine_cipher, Init);
  EVP_CIPHER_meth_set_do_cipher(cipher.engine_cipher, DoCipher);
  EVP_CIPHER_meth_set_cleanup(cipher.engine_cipher, Cleanup);
  EVP_CIPHER_meth_set_ctrl(cipher.engine_cipher, Control);
  return cipher.nid;
}

}  // namespace

std::atomic<uint32_t>* CipherThreshold(std::string_view name) {
  Cipher* const cipher = std::ranges::find(All(), name, &Cipher::name);
  return cipher == All().end() ? nullptr : &cipher->threshold;
}

void SetCipherThresholds(const OffloadOptions& options) {
  for (Cipher& cipher : All()) {
    cipher.threshold.store(options.threshold(cipher.sized_as), std::memory_order_relaxed);
  }
}

int Ciphers(ENGINE*, const EVP_CIPHER** cipher, const int** nids, int nid) {
  static const std::array<int, kCiphers> all = [] {
    std::array<int, kCiphers> made{};
    for (size_t i = 0; i < kCiphers; ++i) made[i] = MakeCipher(All()[i]);
    return made;
  }();
  if (cipher == nullptr) {
    *nids = all.data();
    return static_cast<int>(all.size());
  }
  const auto* const known = std::ranges::find(All(), nid, &Cipher::nid);
  *cipher = known != All().end() ? known->engine_cipher : nullptr;
  return *cipher != nullptr ? 1 : 0;
}

}  // namespace engine::openssl::engine
