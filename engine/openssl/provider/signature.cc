// Signatures: RSA (with PKCS#1 v1.5, PSS or X.931 padding), ECDSA, Ed25519, Ed448. Signing and
// verification go to the card; the model charges verification as OperationKind::kOther.
#include <openssl/core_names.h>

#include <cstring>

#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

struct Signature {
  Provider& provider;
  const Key* key = nullptr;   // libcrypto keeps it alive
  SharedPkeyContext context;  // for sign and verify
  SharedDigestContext digest;
};
Signature& SignatureOf(void* ctx) { return *static_cast<Signature*>(ctx); }

// The context that has this object's parameters.
EVP_PKEY_CTX* Inner(const Signature& signature) {
  if (signature.digest != nullptr) return EVP_MD_CTX_get_pkey_ctx(signature.digest.get());
  return signature.context.get();
}

void* New(void* provctx, const char*) { return new Signature{.provider = ProviderOf(provctx)}; }
void Free(void* ctx) { delete static_cast<Signature*>(ctx); }

void* Duplicate(void* ctx) {
  const Signature& from = SignatureOf(ctx);
  auto copy = std::make_unique<Signature>(Signature{from.provider, from.key, nullptr, nullptr});
  if (from.context != nullptr) {
    copy->context = Own(EVP_PKEY_CTX_dup(from.context.get()));
    if (copy->context == nullptr) return nullptr;
  }
  if (from.digest != nullptr) {
    copy->digest = Own(EVP_MD_CTX_new());
    if (EVP_MD_CTX_copy_ex(copy->digest.get(), from.digest.get()) != 1) return nullptr;
  }
  return copy.release();
}

using InitFn = int (*)(EVP_PKEY_CTX*, const OSSL_PARAM*);

template <InitFn kInit>
int Init(void* ctx, void* keydata, const OSSL_PARAM params[]) {
  Signature& signature = SignatureOf(ctx);
  if (keydata != nullptr) {
    signature.key = &KeyOf(keydata);
    signature.context = NewPkeyContext(*signature.key);
  }
  signature.digest.reset();
  return signature.context != nullptr && kInit(signature.context.get(), params) == 1;
}

// Runs `function` on the card; it makes a signature of at most `max` bytes.
int MakeSignature(Signature& signature, size_t input_bytes, size_t max, Call::Function function,
                  unsigned char* out, size_t* out_bytes, size_t out_bytes_max) {
  Operation<Call> operation(PrivateKeyKind(*signature.key), input_bytes, max, std::move(function));
  return MakeCall(*signature.provider.offload, operation) &&
         CopyOutput(operation->out(), out, out_bytes, out_bytes_max);
}

// Runs `function` on the card; it checks a signature.
int Check(Signature& signature, size_t input_bytes, Call::Function function) {
  Operation<Call> operation(hwsim::operations::OperationKind::kOther, input_bytes, 0,
                            std::move(function));
  return MakeCall(*signature.provider.offload, operation);
}

int Sign(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max,
         const unsigned char* tbs, size_t tbs_bytes) {
  Signature& signature = SignatureOf(ctx);
  size_t max = 0;
  if (EVP_PKEY_sign(signature.context.get(), nullptr, &max, tbs, tbs_bytes) != 1) return 0;
  if (out == nullptr) {
    *out_bytes = max;
    return 1;
  }
  return MakeSignature(
      signature, tbs_bytes, max,
      [context = signature.context, input = CallBytes(tbs, tbs_bytes)](CallBytes& result) {
        size_t size = result.size();
        if (EVP_PKEY_sign(context.get(), result.data(), &size, input.data(), input.size()) != 1) {
          return false;
        }
        result.Resize(size);
        return true;
      },
      out, out_bytes, out_bytes_max);
}

int Verify(void* ctx, const unsigned char* sig, size_t sig_bytes, const unsigned char* tbs,
           size_t tbs_bytes) {
  Signature& signature = SignatureOf(ctx);
  return Check(signature, tbs_bytes,
               [context = signature.context, sig = CallBytes(sig, sig_bytes),
                input = CallBytes(tbs, tbs_bytes)](CallBytes&) {
                 return EVP_PKEY_verify(context.get(), sig.data(), sig.size(), input.data(),
                                        input.size()) == 1;
               });
}

int Recover(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max,
            const unsigned char* sig, size_t sig_bytes) {
  size_t size = out_bytes_max;
  if (EVP_PKEY_verify_recover(SignatureOf(ctx).context.get(), out, &size, sig, sig_bytes) != 1) {
    return 0;
  }
  *out_bytes = size;
  return 1;
}

using DigestInitFn = int (*)(EVP_MD_CTX*, EVP_PKEY_CTX**, const char*, OSSL_LIB_CTX*, const char*,
                             EVP_PKEY*, const OSSL_PARAM*);

template <DigestInitFn kInit>
int DigestInit(void* ctx, const char* digest_name, void* keydata, const OSSL_PARAM params[]) {
  Signature& signature = SignatureOf(ctx);
  if (keydata != nullptr) signature.key = &KeyOf(keydata);
  if (signature.key == nullptr || signature.key->pkey == nullptr) return 0;
  signature.context.reset();
  signature.digest = Own(EVP_MD_CTX_new());
  return signature.digest != nullptr &&
         kInit(signature.digest.get(), nullptr, digest_name, Library(), nullptr,
               signature.key->pkey.get(), params) == 1;
}

template <auto kUpdate>
int DigestUpdate(void* ctx, const unsigned char* data, size_t bytes) {
  return kUpdate(SignatureOf(ctx).digest.get(), data, bytes) == 1;
}

int DigestSignFinal(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max) {
  Signature& signature = SignatureOf(ctx);
  size_t max = 0;
  if (EVP_DigestSignFinal(signature.digest.get(), nullptr, &max) != 1) return 0;
  if (out == nullptr) {
    *out_bytes = max;
    return 1;
  }
  return MakeSignature(
      signature, 64, max,
      [digest = signature.digest](CallBytes& result) {
        size_t size = result.size();
        if (EVP_DigestSignFinal(digest.get(), result.data(), &size) != 1) return false;
        result.Resize(size);
        return true;
      },
      out, out_bytes, out_bytes_max);
}

int DigestSign(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max,
               const unsigned char* tbs, size_t tbs_bytes) {
  Signature& signature = SignatureOf(ctx);
  size_t max = 0;
  if (EVP_DigestSign(signature.digest.get(), nullptr, &max, tbs, tbs_bytes) != 1) return 0;
  if (out == nullptr) {
    *out_bytes = max;
    return 1;
  }
  return MakeSignature(
      signature, tbs_bytes, max,
      [digest = signature.digest, input = CallBytes(tbs, tbs_bytes)](CallBytes& result) {
        size_t size = result.size();
        if (EVP_DigestSign(digest.get(), result.data(), &size, input.data(), input.size()) != 1) {
          return false;
        }
        result.Resize(size);
        return true;
      },
      out, out_bytes, out_bytes_max);
}

int DigestVerifyFinal(void* ctx, const unsigned char* sig, size_t sig_bytes) {
  Signature& signature = SignatureOf(ctx);
  return Check(signature, 64,
               [digest = signature.digest, sig = CallBytes(sig, sig_bytes)](CallBytes&) {
                 return EVP_DigestVerifyFinal(digest.get(), sig.data(), sig.size()) == 1;
               });
}

int DigestVerify(void* ctx, const unsigned char* sig, size_t sig_bytes, const unsigned char* tbs,
                 size_t tbs_bytes) {
  Signature& signature = SignatureOf(ctx);
  return Check(signature, tbs_bytes,
               [digest = signature.digest, sig = CallBytes(sig, sig_bytes),
                input = CallBytes(tbs, tbs_bytes)](CallBytes&) {
                 return EVP_DigestVerify(digest.get(), sig.data(), sig.size(), input.data(),
                                         input.size()) == 1;
               });
}

int GetParams(void* ctx, OSSL_PARAM params[]) {
  EVP_PKEY_CTX* const inner = Inner(SignatureOf(ctx));
  return inner != nullptr && EVP_PKEY_CTX_get_params(inner, params) == 1;
}

int SetParams(void* ctx, const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return 1;
  EVP_PKEY_CTX* const inner = Inner(SignatureOf(ctx));
  return inner != nullptr && EVP_PKEY_CTX_set_params(inner, params) == 1;
}

const OSSL_PARAM* GettableParams(void* ctx, void*) {
  if (ctx == nullptr) return nullptr;
  EVP_PKEY_CTX* const inner = Inner(SignatureOf(ctx));
  return inner != nullptr ? EVP_PKEY_CTX_gettable_params(inner) : nullptr;
}

const OSSL_PARAM* SettableParams(void* ctx, void*) {
  if (ctx == nullptr) return nullptr;
  EVP_PKEY_CTX* const inner = Inner(SignatureOf(ctx));
  return inner != nullptr ? EVP_PKEY_CTX_settable_params(inner) : nullptr;
}

// RSA and ECDSA: they sign a digest, or hash a message that arrives in pieces.
const OSSL_DISPATCH kPrehashed[] = {
    Entry(OSSL_FUNC_SIGNATURE_NEWCTX, &New),
    Entry(OSSL_FUNC_SIGNATURE_FREECTX, &Free),
    Entry(OSSL_FUNC_SIGNATURE_DUPCTX, &Duplicate),
    Entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, &Init<&EVP_PKEY_sign_init_ex>),
    Entry(OSSL_FUNC_SIGNATURE_SIGN, &Sign),
    Entry(OSSL_FUNC_SIGNATURE_VERIFY_INIT, &Init<&EVP_PKEY_verify_init_ex>),
    Entry(OSSL_FUNC_SIGNATURE_VERIFY, &Verify),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, &DigestInit<&EVP_DigestSignInit_ex>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, &DigestUpdate<&EVP_DigestSignUpdate>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, &DigestSignFinal),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, &DigestInit<&EVP_DigestVerifyInit_ex>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, &DigestUpdate<&EVP_DigestVerifyUpdate>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, &DigestVerifyFinal),
    Entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, &GetParams),
    Entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, &GettableParams),
    Entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, &SetParams),
    Entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, &SettableParams),
    // RSA only; the inner contexts of other types refuse it.
    Entry(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, &Init<&EVP_PKEY_verify_recover_init_ex>),
    Entry(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, &Recover),
    {0, nullptr}};

// Ed25519 and Ed448: they take a whole message.
const OSSL_DISPATCH kPure[] = {
    Entry(OSSL_FUNC_SIGNATURE_NEWCTX, &New),
    Entry(OSSL_FUNC_SIGNATURE_FREECTX, &Free),
    Entry(OSSL_FUNC_SIGNATURE_DUPCTX, &Duplicate),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, &DigestInit<&EVP_DigestSignInit_ex>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, &DigestSign),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, &DigestInit<&EVP_DigestVerifyInit_ex>),
    Entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, &DigestVerify),
    Entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, &GetParams),
    Entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, &GettableParams),
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kSignatures[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=ghostcard", kPrehashed, "RSA"},
    {"ECDSA", "provider=ghostcard", kPrehashed, "ECDSA"},
    {"ED25519:1.3.101.112", "provider=ghostcard", kPure, "Ed25519"},
    {"ED448:1.3.101.113", "provider=ghostcard", kPure, "Ed448"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
