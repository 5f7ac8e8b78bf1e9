// Key exchange (ECDH, X25519, X448) and RSA encryption.
#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

struct PkeyOperation {
  Provider& provider;
  const Key* key = nullptr;  // libcrypto keeps it alive
  SharedPkeyContext context;
};
PkeyOperation& OperationOf(void* ctx) { return *static_cast<PkeyOperation*>(ctx); }

void* New(void* provctx) { return new PkeyOperation{.provider = ProviderOf(provctx)}; }
void Free(void* ctx) { delete static_cast<PkeyOperation*>(ctx); }

void* Duplicate(void* ctx) {
  const PkeyOperation& from = OperationOf(ctx);
  auto copy = std::make_unique<PkeyOperation>(PkeyOperation{from.provider, from.key, nullptr});
  if (from.context != nullptr) {
    copy->context = Own(EVP_PKEY_CTX_dup(from.context.get()));
    if (copy->context == nullptr) return nullptr;
  }
  return copy.release();
}

using InitFn = int (*)(EVP_PKEY_CTX*, const OSSL_PARAM*);

template <InitFn kInit>
int Init(void* ctx, void* keydata, const OSSL_PARAM params[]) {
  PkeyOperation& operation = OperationOf(ctx);
  if (keydata != nullptr) {
    operation.key = &KeyOf(keydata);
    operation.context = NewPkeyContext(*operation.key);
  }
  return operation.context != nullptr && kInit(operation.context.get(), params) == 1;
}

int GetParams(void* ctx, OSSL_PARAM params[]) {
  PkeyOperation& operation = OperationOf(ctx);
  return operation.context != nullptr &&
         EVP_PKEY_CTX_get_params(operation.context.get(), params) == 1;
}
int SetParams(void* ctx, const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return 1;
  PkeyOperation& operation = OperationOf(ctx);
  return operation.context != nullptr &&
         EVP_PKEY_CTX_set_params(operation.context.get(), params) == 1;
}
const OSSL_PARAM* GettableParams(void* ctx, void*) {
  if (ctx == nullptr || OperationOf(ctx).context == nullptr) return nullptr;
  return EVP_PKEY_CTX_gettable_params(OperationOf(ctx).context.get());
}
const OSSL_PARAM* SettableParams(void* ctx, void*) {
  if (ctx == nullptr || OperationOf(ctx).context == nullptr) return nullptr;
  return EVP_PKEY_CTX_settable_params(OperationOf(ctx).context.get());
}

int SetPeer(void* ctx, void* keydata) {
  PkeyOperation& operation = OperationOf(ctx);
  const Key& peer = KeyOf(keydata);
  return operation.context != nullptr && peer.pkey != nullptr &&
         EVP_PKEY_derive_set_peer(operation.context.get(), peer.pkey.get()) == 1;
}

// EVP_PKEY_derive, EVP_PKEY_encrypt or EVP_PKEY_decrypt with its input bound. With a null `out` it
// sets `out_bytes` to the largest output size.
using Transform = std::function<int(unsigned char* out, size_t* out_bytes)>;

// With a null `out`, returns the largest output size in `out_bytes`. Otherwise runs `transform` on
// the card.
int Run(PkeyOperation& operation, hwsim::operations::OperationKind kind, size_t input_bytes,
        Transform transform, unsigned char* out, size_t* out_bytes, size_t out_bytes_max) {
  size_t max = 0;
  if (transform(nullptr, &max) != 1) return 0;
  if (out == nullptr) {
    *out_bytes = max;
    return 1;
  }
  Operation<Call> call(kind, input_bytes, max, [transform = std::move(transform)](CallBytes& to) {
    size_t size = to.size();
    if (transform(to.data(), &size) != 1) return false;
    to.Resize(size);
    return true;
  });
  return MakeCall(*operation.provider.offload, call) &&
         CopyOutput(call->out(), out, out_bytes, out_bytes_max);
}

int Derive(void* ctx, unsigned char* secret, size_t* secret_bytes, size_t secret_bytes_max) {
  PkeyOperation& operation = OperationOf(ctx);
  if (operation.context == nullptr) return 0;
  if (!operation.provider.offload->options().key_exchange) {
    *secret_bytes = secret_bytes_max;
    return EVP_PKEY_derive(operation.context.get(), secret, secret_bytes) == 1;
  }
  return Run(
      operation, hwsim::operations::OperationKind::kX25519, 32,
      [context = operation.context](unsigned char* out, size_t* out_bytes) {
        return EVP_PKEY_derive(context.get(), out, out_bytes);
      },
      secret, secret_bytes, secret_bytes_max);
}

using CryptFn = int (*)(EVP_PKEY_CTX*, unsigned char*, size_t*, const unsigned char*, size_t);

template <CryptFn kCrypt>
int Crypt(void* ctx, unsigned char* out, size_t* out_bytes, size_t out_bytes_max,
          const unsigned char* in, size_t in_bytes) {
  PkeyOperation& operation = OperationOf(ctx);
  if (operation.context == nullptr) return 0;
  const bool is_private = kCrypt == &EVP_PKEY_decrypt;
  return Run(
      operation,
      is_private ? PrivateKeyKind(*operation.key) : hwsim::operations::OperationKind::kOther,
      in_bytes,
      [context = operation.context, input = CallBytes(in, in_bytes)](unsigned char* to,
                                                                     size_t* to_bytes) {
        return kCrypt(context.get(), to, to_bytes, input.data(), input.size());
      },
      out, out_bytes, out_bytes_max);
}

const OSSL_DISPATCH kExchange[] = {Entry(OSSL_FUNC_KEYEXCH_NEWCTX, &New),
                                   Entry(OSSL_FUNC_KEYEXCH_FREECTX, &Free),
                                   Entry(OSSL_FUNC_KEYEXCH_DUPCTX, &Duplicate),
                                   Entry(OSSL_FUNC_KEYEXCH_INIT, &Init<&EVP_PKEY_derive_init_ex>),
                                   Entry(OSSL_FUNC_KEYEXCH_SET_PEER, &SetPeer),
                                   Entry(OSSL_FUNC_KEYEXCH_DERIVE, &Derive),
                                   Entry(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, &GetParams),
                                   Entry(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, &GettableParams),
                                   Entry(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, &SetParams),
                                   Entry(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, &SettableParams),
                                   {0, nullptr}};

const OSSL_DISPATCH kRsaCipher[] = {
    Entry(OSSL_FUNC_ASYM_CIPHER_NEWCTX, &New),
    Entry(OSSL_FUNC_ASYM_CIPHER_FREECTX, &Free),
    Entry(OSSL_FUNC_ASYM_CIPHER_DUPCTX, &Duplicate),
    Entry(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, &Init<&EVP_PKEY_encrypt_init_ex>),
    Entry(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, &Crypt<&EVP_PKEY_encrypt>),
    Entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, &Init<&EVP_PKEY_decrypt_init_ex>),
    Entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT, &Crypt<&EVP_PKEY_decrypt>),
    Entry(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, &GetParams),
    Entry(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, &GettableParams),
    Entry(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, &SetParams),
    Entry(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, &SettableParams),
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kKeyExchanges[] = {
    {"ECDH", "provider=ghostcard", kExchange, "ECDH"},
    {"X25519:1.3.101.110", "provider=ghostcard", kExchange, "X25519"},
    {"X448:1.3.101.111", "provider=ghostcard", kExchange, "X448"},
    {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM kAsymmetricCiphers[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=ghostcard", kRsaCipher, "RSA"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
