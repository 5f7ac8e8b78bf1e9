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

#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"

namespace engine {

namespace {

// `software` is libcrypto's own cipher under a number that no engine has: started with its true
// number, it would come back to us.
struct Cipher {
  const EVP_CIPHER* (*libcrypto)();
  int nid;
  std::string_view name;
  Algorithm algorithm;
  SizedWork sized_as;
  hwsim::OperationKind kind = hwsim::OperationKind::kOther;
  std::atomic<uint32_t> threshold{0};  // stands alone: no order needed
  EVP_CIPHER* ours = nullptr;
  EVP_CIPHER* software = nullptr;
};

// What stands behind a context. Shared with the card while it works on it.
struct Inner {
  Inner() = default;
  ~Inner() { EVP_CIPHER_CTX_free(context); }
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  int result = -1;  // of the last call on the card
};
using State = std::shared_ptr<Inner>;

const Cipher& CipherOf(const EVP_CIPHER_CTX* context);

State*& SlotOf(const EVP_CIPHER_CTX* context) {
  return *static_cast<State**>(EVP_CIPHER_CTX_get_cipher_data(context));
}

// `out` null: additional data. `in` null: the end. Neither is work for a card.
int DoCipher(EVP_CIPHER_CTX* context, unsigned char* out, const unsigned char* in, size_t size) {
  const State& state = *SlotOf(context);
  const Cipher& cipher = CipherOf(context);
  if (out == nullptr || in == nullptr || size < cipher.threshold.load(std::memory_order_relaxed) ||
      !Module::Get().GoesToCard(cipher.algorithm)) {
    return EVP_Cipher(state->context, out, in, static_cast<unsigned int>(size));
  }
  // In place, on the card's copy: an authenticated TLS record can be had in no other way.
  Operation<Call> call(cipher.kind, size, size, Module::OnCard([state](CallBytes& data) {
                         state->result = EVP_Cipher(state->context, data.data(), data.data(),
                                                    static_cast<unsigned int>(data.size()));
                         return state->result >= 0;
                       }));
  std::memcpy(call->output().data(), in, size);
  if (!Module::Get().Run(RequestClass::kCipher, call)) {
    const auto flags = static_cast<unsigned long>(EVP_CIPHER_get_flags(cipher.software));
    return (flags & EVP_CIPH_FLAG_CUSTOM_CIPHER) != 0 ? -1 : 0;
  }
  std::memcpy(out, call->out().data(), size);
  return state->result;
}

int Init(EVP_CIPHER_CTX* context, const unsigned char* key, const unsigned char* iv, int encrypt) {
  return EVP_CipherInit_ex((*SlotOf(context))->context, nullptr, nullptr, key, iv, encrypt);
}

int Control(EVP_CIPHER_CTX* context, int type, int argument, void* pointer) {
  State*& slot = SlotOf(context);
  if (type == EVP_CTRL_INIT) {
    delete slot;  // one that the card may still have is left to it
    slot = new State(std::make_shared<Inner>());
    return EVP_CipherInit_ex((*slot)->context, CipherOf(context).software, nullptr, nullptr,
                             nullptr, EVP_CIPHER_CTX_is_encrypting(context));
  }
  if (type == EVP_CTRL_COPY) {
    auto* const copy = static_cast<EVP_CIPHER_CTX*>(pointer);
    SlotOf(copy) = new State(std::make_shared<Inner>());
    return EVP_CIPHER_CTX_copy((*SlotOf(copy))->context, (*slot)->context);
  }
  const auto control = EVP_CIPHER_meth_get_ctrl(CipherOf(context).software);
  return control == nullptr ? -1 : control((*slot)->context, type, argument, pointer);
}

int Cleanup(EVP_CIPHER_CTX* context) {
  if (EVP_CIPHER_CTX_get_cipher_data(context) == nullptr) return 1;
  delete std::exchange(SlotOf(context), nullptr);
  return 1;
}

constexpr size_t kCiphers = 5;
std::array<Cipher, kCiphers>& All() {
  using hwsim::OperationKind;
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

// Returns the cipher's number.
int MakeCipher(Cipher& cipher) {
  const EVP_CIPHER* const model = cipher.libcrypto();
  cipher.software = NewLike(model, NID_undef, 0);
  EVP_CIPHER_meth_set_impl_ctx_size(cipher.software, EVP_CIPHER_impl_ctx_size(model));
  EVP_CIPHER_meth_set_init(cipher.software, EVP_CIPHER_meth_get_init(model));
  EVP_CIPHER_meth_set_do_cipher(cipher.software, EVP_CIPHER_meth_get_do_cipher(model));
  EVP_CIPHER_meth_set_cleanup(cipher.software, EVP_CIPHER_meth_get_cleanup(model));
  EVP_CIPHER_meth_set_ctrl(cipher.software, EVP_CIPHER_meth_get_ctrl(model));

  cipher.ours = NewLike(model, cipher.nid,
                        EVP_CIPH_ALWAYS_CALL_INIT | EVP_CIPH_CTRL_INIT | EVP_CIPH_CUSTOM_COPY);
  EVP_CIPHER_meth_set_impl_ctx_size(cipher.ours, sizeof(State*));
  EVP_CIPHER_meth_set_init(cipher.ours, Init);
  EVP_CIPHER_meth_set_do_cipher(cipher.ours, DoCipher);
  EVP_CIPHER_meth_set_cleanup(cipher.ours, Cleanup);
  EVP_CIPHER_meth_set_ctrl(cipher.ours, Control);
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
  *cipher = known != All().end() ? known->ours : nullptr;
  return *cipher != nullptr ? 1 : 0;
}

}  // namespace engine
