// Ciphers: AES-128/256 in CBC, CTR and GCM, ChaCha20-Poly1305. Data that reaches the threshold goes
// to the card. Key, IV, tag, padding and TLS record parameters go to the inner context, which
// belongs to the default provider.
#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/openssl/context_change.h"
#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

using hwsim::operations::OperationKind;

struct CipherForm {
  const char* name;
  SizedWork sized;
  OperationKind kind;
};

struct Cipher {
  Provider& provider;
  const CipherForm& form;
  const EVP_CIPHER* cipher;
  SharedCipherContext inner;
  // CBC with TLS records: such a context cannot be copied, because libcrypto's copy frees the same
  // memory again.
  bool is_tls = false;
};
Cipher& CipherOf(void* ctx) { return *static_cast<Cipher*>(ctx); }

template <const CipherForm& kForm>
const EVP_CIPHER* Fetched() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(Library(), kForm.name, nullptr);
  return cipher;
}

template <const CipherForm& kForm>
void* New(void* provctx) {
  const EVP_CIPHER* cipher = Fetched<kForm>();
  auto inner = NewCipherContext();
  // OpenSSL may ask for parameters before the first init.
  if (cipher == nullptr || inner == nullptr ||
      EVP_CipherInit_ex2(inner.get(), cipher, nullptr, nullptr, 1, nullptr) != 1) {
    return nullptr;
  }
  return new Cipher{ProviderOf(provctx), kForm, cipher, std::move(inner)};
}
void Free(void* ctx) { delete static_cast<Cipher*>(ctx); }

void* Duplicate(void* ctx) {
  const Cipher& from = CipherOf(ctx);
  auto copy = std::make_unique<Cipher>(
      Cipher{from.provider, from.form, from.cipher, NewCipherContext(), from.is_tls});
  if (copy->inner == nullptr || EVP_CIPHER_CTX_copy(copy->inner.get(), from.inner.get()) != 1) {
    return nullptr;
  }
  return copy.release();
}

bool SetParams(Cipher& cipher, const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return true;
  if (OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_TLS_VERSION) != nullptr) {
    cipher.is_tls = true;
  }
  return EVP_CIPHER_CTX_set_params(cipher.inner.get(), params) == 1;
}

template <int kEncrypt>
int Init(void* ctx, const unsigned char* key, size_t key_bytes, const unsigned char* iv,
         size_t iv_bytes, const OSSL_PARAM params[]) {
  Cipher& cipher = CipherOf(ctx);
  EVP_CIPHER_CTX* const inner = cipher.inner.get();
  if (key != nullptr &&
      key_bytes != static_cast<size_t>(EVP_CIPHER_get_key_length(cipher.cipher))) {
    RaiseError(std::string(cipher.form.name) + ": the key has " + std::to_string(key_bytes) +
               " bytes; allowed: " + std::to_string(EVP_CIPHER_get_key_length(cipher.cipher)));
    return 0;
  }
  // An IV of another length: set the length before the IV.
  if (iv != nullptr && iv_bytes != static_cast<size_t>(EVP_CIPHER_CTX_get_iv_length(inner))) {
    size_t length = iv_bytes;
    const OSSL_PARAM iv_length[] = {
        OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &length),
        OSSL_PARAM_construct_end()};
    if (!SetParams(cipher, iv_length)) return 0;
  }
  return EVP_CipherInit_ex2(inner, nullptr, key, iv, kEncrypt, nullptr) == 1 &&
         SetParams(cipher, params);
}

// EVP_CipherUpdate or EVP_Cipher, with one signature. Returns 1 on success.
using TransformFn = int (*)(EVP_CIPHER_CTX* inner, unsigned char* out, int* out_bytes,
                            const unsigned char* in, int in_bytes);

int UpdateInPieces(EVP_CIPHER_CTX* inner, unsigned char* out, int* out_bytes,
                   const unsigned char* in, int in_bytes) {
  return EVP_CipherUpdate(inner, out, out_bytes, in, in_bytes);
}

// A whole TLS record or message. EVP_Cipher returns the number of output bytes, or -1.
int CipherAtOnce(EVP_CIPHER_CTX* inner, unsigned char* out, int* out_bytes, const unsigned char* in,
                 int in_bytes) {
  *out_bytes = EVP_Cipher(inner, out, in, static_cast<unsigned int>(in_bytes));
  return *out_bytes >= 0;
}

template <TransformFn kTransform>
int Transform(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max,
              const unsigned char* in, size_t in_bytes) {
  Cipher& cipher = CipherOf(ctx);
  Offload& offload = *cipher.provider.offload;
  if (in_bytes > INT32_MAX) {
    RaiseError("the input has " + std::to_string(in_bytes) + " bytes; allowed: at most 2147483647");
    return 0;
  }
  const int size = static_cast<int>(in_bytes);
  // Additional data, the end of a message, and small data stay in the caller.
  if (in == nullptr || out == nullptr || !offload.ReachesThreshold(cipher.form.sized, in_bytes)) {
    int written = 0;
    if (kTransform(cipher.inner.get(), out, &written, in, size) != 1) return 0;
    *out_bytes = static_cast<size_t>(written);
    return 1;
  }
  constexpr size_t kBlockMax = 32;  // room for bytes that an earlier call left, and for a tag
  // A TLS record is processed in place, and its output may begin after the start of the buffer.
  const bool in_place = in == out;
  const auto written = std::make_shared<int>(0);
  using Change = ContextChange<EVP_CIPHER_CTX>;
  Change change(cipher.inner,
                cipher.is_tls ? Change::Target::kContextItself : Change::Target::kCopy);
  Operation<Call> operation(cipher.form.kind, in_bytes, in_bytes + kBlockMax,
                            change.Function([input = CallBytes(in, in_bytes), in_place, written](
                                                EVP_CIPHER_CTX& inner, CallBytes& to) {
                              const unsigned char* from = input.data();
                              if (in_place) {
                                std::memcpy(to.data(), from, input.size());
                                from = to.data();
                              }
                              if (kTransform(&inner, to.data(), written.get(), from,
                                             static_cast<int>(input.size())) != 1) {
                                return false;
                              }
                              const auto made = static_cast<size_t>(*written);
                              to.Resize(in_place ? std::max(made, input.size()) : made);
                              return true;
                            }));
  size_t given = 0;
  if (!change.End(MakeCall(offload, operation)) ||
      !CopyOutput(operation->out(), out, &given,
                  std::max(out_bytes_max, in_place ? in_bytes : 0))) {
    return 0;
  }
  *out_bytes = static_cast<size_t>(*written);
  return 1;
}

int Final(void* ctx, unsigned char* out, size_t* out_bytes, size_t) {
  int written = 0;
  if (EVP_CipherFinal_ex(CipherOf(ctx).inner.get(), out, &written) != 1) return 0;
  *out_bytes = static_cast<size_t>(written);
  return 1;
}

template <const CipherForm& kForm>
int GetParams(OSSL_PARAM params[]) {
  const EVP_CIPHER* cipher = Fetched<kForm>();
  return cipher != nullptr && EVP_CIPHER_get_params(const_cast<EVP_CIPHER*>(cipher), params) == 1;
}
template <const CipherForm& kForm>
const OSSL_PARAM* GettableParams(void*) {
  const EVP_CIPHER* cipher = Fetched<kForm>();
  return cipher != nullptr ? EVP_CIPHER_gettable_params(cipher) : nullptr;
}
int GetCtxParams(void* ctx, OSSL_PARAM params[]) {
  return EVP_CIPHER_CTX_get_params(CipherOf(ctx).inner.get(), params) == 1;
}
int SetCtxParams(void* ctx, const OSSL_PARAM params[]) { return SetParams(CipherOf(ctx), params); }
template <const CipherForm& kForm>
const OSSL_PARAM* GettableCtxParams(void*, void*) {
  const EVP_CIPHER* cipher = Fetched<kForm>();
  return cipher != nullptr ? EVP_CIPHER_gettable_ctx_params(cipher) : nullptr;
}
template <const CipherForm& kForm>
const OSSL_PARAM* SettableCtxParams(void*, void*) {
  const EVP_CIPHER* cipher = Fetched<kForm>();
  return cipher != nullptr ? EVP_CIPHER_settable_ctx_params(cipher) : nullptr;
}

constexpr CipherForm kAes128CbcForm{"AES-128-CBC", SizedWork::kCbc, OperationKind::kAes128Gcm};
constexpr CipherForm kAes256CbcForm{"AES-256-CBC", SizedWork::kCbc, OperationKind::kAes256Gcm};
constexpr CipherForm kAes128CtrForm{"AES-128-CTR", SizedWork::kCtr, OperationKind::kAes128Gcm};
constexpr CipherForm kAes256CtrForm{"AES-256-CTR", SizedWork::kCtr, OperationKind::kAes256Gcm};
constexpr CipherForm kAes128GcmForm{"AES-128-GCM", SizedWork::kGcm, OperationKind::kAes128Gcm};
constexpr CipherForm kAes256GcmForm{"AES-256-GCM", SizedWork::kGcm, OperationKind::kAes256Gcm};
constexpr CipherForm kChaCha20Poly1305Form{"ChaCha20-Poly1305", SizedWork::kChaCha20Poly1305,
                                           OperationKind::kAes256Gcm};

// The dispatch table of the cipher `kForm`.
template <const CipherForm& kForm>
auto CipherTable() {
  return std::to_array<OSSL_DISPATCH>(
      {Entry(OSSL_FUNC_CIPHER_NEWCTX, &New<kForm>),
       Entry(OSSL_FUNC_CIPHER_FREECTX, &Free),
       Entry(OSSL_FUNC_CIPHER_DUPCTX, &Duplicate),
       Entry(OSSL_FUNC_CIPHER_ENCRYPT_INIT, &Init<1>),
       Entry(OSSL_FUNC_CIPHER_DECRYPT_INIT, &Init<0>),
       Entry(OSSL_FUNC_CIPHER_UPDATE, &Transform<&UpdateInPieces>),
       Entry(OSSL_FUNC_CIPHER_FINAL, &Final),
       Entry(OSSL_FUNC_CIPHER_CIPHER, &Transform<&CipherAtOnce>),
       Entry(OSSL_FUNC_CIPHER_GET_PARAMS, &GetParams<kForm>),
       Entry(OSSL_FUNC_CIPHER_GETTABLE_PARAMS, &GettableParams<kForm>),
       Entry(OSSL_FUNC_CIPHER_GET_CTX_PARAMS, &GetCtxParams),
       Entry(OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, &GettableCtxParams<kForm>),
       Entry(OSSL_FUNC_CIPHER_SET_CTX_PARAMS, &SetCtxParams),
       Entry(OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, &SettableCtxParams<kForm>),
       {0, nullptr}});
}

const auto kAes128Cbc = CipherTable<kAes128CbcForm>();
const auto kAes256Cbc = CipherTable<kAes256CbcForm>();
const auto kAes128Ctr = CipherTable<kAes128CtrForm>();
const auto kAes256Ctr = CipherTable<kAes256CtrForm>();
const auto kAes128Gcm = CipherTable<kAes128GcmForm>();
const auto kAes256Gcm = CipherTable<kAes256GcmForm>();
const auto kChaCha20Poly1305 = CipherTable<kChaCha20Poly1305Form>();

}  // namespace

const OSSL_ALGORITHM kCiphers[] = {
    {"AES-128-CBC:AES128:2.16.840.1.101.3.4.1.2", "provider=ghostcard", kAes128Cbc.data(),
     "AES-128-CBC"},
    {"AES-256-CBC:AES256:2.16.840.1.101.3.4.1.42", "provider=ghostcard", kAes256Cbc.data(),
     "AES-256-CBC"},
    {"AES-128-CTR", "provider=ghostcard", kAes128Ctr.data(), "AES-128-CTR"},
    {"AES-256-CTR", "provider=ghostcard", kAes256Ctr.data(), "AES-256-CTR"},
    {"AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", "provider=ghostcard", kAes128Gcm.data(),
     "AES-128-GCM"},
    {"AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", "provider=ghostcard", kAes256Gcm.data(),
     "AES-256-GCM"},
    {"ChaCha20-Poly1305", "provider=ghostcard", kChaCha20Poly1305.data(), "ChaCha20-Poly1305"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
