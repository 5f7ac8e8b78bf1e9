#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include <algorithm>
#include <memory>

#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"
#include "hwsim/operations/libcrypto.h"

namespace engine::openssl::engine {

namespace {

// libcrypto's own EC functions.
struct EcFunctions {
  int (*sign)(int type, const unsigned char* digest, int size, unsigned char* signature,
              unsigned int* signature_size, const BIGNUM* kinv, const BIGNUM* r, EC_KEY* key);
  int (*sign_setup)(EC_KEY* key, BN_CTX* context, BIGNUM** kinv, BIGNUM** r);
  ECDSA_SIG* (*sign_sig)(const unsigned char* digest, int size, const BIGNUM* kinv, const BIGNUM* r,
                         EC_KEY* key);
  int (*verify)(int type, const unsigned char* digest, int size, const unsigned char* signature,
                int signature_size, EC_KEY* key);
  int (*verify_sig)(const unsigned char* digest, int size, const ECDSA_SIG* signature, EC_KEY* key);
  int (*keygen)(EC_KEY* key);
  int (*compute_key)(unsigned char** secret, size_t* size, const EC_POINT* peer, const EC_KEY* key);
};

const EcFunctions& Libcrypto() {
  static const EcFunctions functions = [] {
    EcFunctions found{};
    const EC_KEY_METHOD* const method = EC_KEY_OpenSSL();
    EC_KEY_METHOD_get_sign(method, &found.sign, &found.sign_setup, &found.sign_sig);
    EC_KEY_METHOD_get_verify(method, &found.verify, &found.verify_sig);
    EC_KEY_METHOD_get_keygen(method, &found.keygen);
    EC_KEY_METHOD_get_compute_key(method, &found.compute_key);
    return found;
  }();
  return functions;
}

using SharedKey = std::shared_ptr<EC_KEY>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, hwsim::operations::Freer<ECDSA_SIG_free>>;

SharedKey Share(const EC_KEY* key) {
  auto* const counted = const_cast<EC_KEY*>(key);
  EC_KEY_up_ref(counted);
  return {counted, EC_KEY_free};
}

size_t ScalarBytes(const EC_KEY* key) {
  return (static_cast<size_t>(EC_GROUP_order_bits(EC_KEY_get0_group(key))) + 7) / 8;
}

hwsim::operations::OperationKind SignKind(const EC_KEY* key) {
  return EC_GROUP_get_curve_name(EC_KEY_get0_group(key)) == NID_X9_62_prime256v1
             ? hwsim::operations::OperationKind::kEcdsaP256Sign
             : hwsim::operations::OperationKind::kOther;
}

// Writes a signature as bytes: r, then s. False: a number has more than `scalar_bytes`.
bool Write(const ECDSA_SIG* signature, unsigned char* to, size_t scalar_bytes) {
  const auto size = static_cast<int>(scalar_bytes);
  return BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, size) == size &&
         BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + size, size) == size;
}

SignaturePtr Read(const unsigned char* from, size_t scalar_bytes) {
  const auto size = static_cast<int>(scalar_bytes);
  SignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(from, size, nullptr);
  BIGNUM* const s = BN_bin2bn(from + size, size, nullptr);
  if (signature != nullptr && ECDSA_SIG_set0(signature.get(), r, s) == 1) return signature;
  BN_free(r);
  BN_free(s);
  return nullptr;
}

ECDSA_SIG* Sign(const unsigned char* digest, int size, const BIGNUM* kinv, const BIGNUM* r,
                EC_KEY* key) {
  // With the caller's own nonce (kinv, r), libcrypto signs.
  if (kinv != nullptr || r != nullptr || size < 0 || EC_KEY_get0_group(key) == nullptr ||
      !Module::Get().GoesToCard(Algorithm::kEcdsa)) {
    return Libcrypto().sign_sig(digest, size, kinv, r, key);
  }
  const size_t scalar_bytes = ScalarBytes(key);
  Operation<Call> call(
      SignKind(key), static_cast<size_t>(size), 2 * scalar_bytes,
      Module::Get().WrapForCard(
          RequestClass::kAsymmetric,
          [shared = Share(key), scalar_bytes,
           input = CallBytes(digest, static_cast<size_t>(size))](CallBytes& out) {
            const SignaturePtr signature(Libcrypto().sign_sig(
                input.data(), static_cast<int>(input.size()), nullptr, nullptr, shared.get()));
            return signature != nullptr && Write(signature.get(), out.data(), scalar_bytes);
          }));
  if (!Module::Get().Run(call)) return nullptr;
  return Read(call->out().data(), scalar_bytes).release();
}

int Verify(const unsigned char* digest, int size, const ECDSA_SIG* signature, EC_KEY* key) {
  const size_t scalar_bytes = EC_KEY_get0_group(key) == nullptr ? 0 : ScalarBytes(key);
  CallBytes signature_bytes(2 * scalar_bytes);
  // Write() fails when a number is too large for the curve; libcrypto then refuses the signature.
  if (size < 0 || signature == nullptr || !Module::Get().GoesToCard(Algorithm::kEcdsa) ||
      !Write(signature, signature_bytes.data(), scalar_bytes)) {
    return Libcrypto().verify_sig(digest, size, signature, key);
  }
  // The call succeeds for a wrong signature too: "wrong" (0) is a result. -1 is a failure.
  Operation<Call> call(hwsim::operations::OperationKind::kOther, static_cast<size_t>(size), 1,
                       Module::Get().WrapForCard(
                           RequestClass::kAsymmetric,
                           [shared = Share(key), scalar_bytes, signature_bytes,
                            input = CallBytes(digest, static_cast<size_t>(size))](CallBytes& out) {
                             const SignaturePtr copy = Read(signature_bytes.data(), scalar_bytes);
                             const int answer =
                                 copy == nullptr ? -1
                                                 : Libcrypto().verify_sig(
                                                       input.data(), static_cast<int>(input.size()),
                                                       copy.get(), shared.get());
                             if (answer >= 0) *out.data() = static_cast<unsigned char>(answer);
                             return answer >= 0;
                           }));
  if (!Module::Get().Run(call)) return -1;
  return *call->out().data() == 1 ? 1 : 0;
}

int ComputeKey(unsigned char** secret, size_t* size, const EC_POINT* peer, const EC_KEY* key) {
  if (peer == nullptr || !Module::Get().GoesToCard(Algorithm::kEcdh)) {
    return Libcrypto().compute_key(secret, size, peer, key);
  }
  const EC_GROUP* const group = EC_KEY_get0_group(key);
  const std::shared_ptr<EC_POINT> copy(EC_POINT_dup(peer, group), EC_POINT_free);
  const auto bytes = (static_cast<size_t>(EC_GROUP_get_degree(group)) + 7) / 8;
  Operation<Call> call(
      hwsim::operations::OperationKind::kOther, bytes, bytes,
      Module::Get().WrapForCard(
          RequestClass::kAsymmetric, [shared = Share(key), copy](CallBytes& out) {
            unsigned char* made = nullptr;
            size_t made_size = 0;
            if (copy == nullptr ||
                Libcrypto().compute_key(&made, &made_size, copy.get(), shared.get()) != 1) {
              return false;
            }
            const bool fits = made_size <= out.size();
            if (fits) {
              std::copy_n(made, made_size, out.data());
              out.Resize(made_size);
            }
            OPENSSL_clear_free(made, made_size);
            return fits;
          }));
  if (!Module::Get().Run(call)) return 0;
  *size = call->out().size();
  *secret = static_cast<unsigned char*>(OPENSSL_memdup(call->out().data(), *size));
  return *secret != nullptr ? 1 : 0;
}

// The card generates into a key of its own: the caller may free `key` while the card works, and two
// threads must not use one key.
int Generate(EC_KEY* key) {
  const EC_GROUP* const group = EC_KEY_get0_group(key);
  if (group == nullptr || !Module::Get().GoesToCard(Algorithm::kEcdh)) {
    return Libcrypto().keygen(key);
  }
  const SharedKey made(EC_KEY_new(), EC_KEY_free);
  if (made == nullptr || EC_KEY_set_method(made.get(), EC_KEY_OpenSSL()) != 1 ||
      EC_KEY_set_group(made.get(), group) != 1) {
    return 0;
  }
  Operation<Call> call(hwsim::operations::OperationKind::kOther, ScalarBytes(key), 0,
                       Module::Get().WrapForCard(RequestClass::kAsymmetric, [made](CallBytes&) {
                         return Libcrypto().keygen(made.get()) == 1;
                       }));
  if (!Module::Get().Run(call)) return 0;
  return EC_KEY_set_private_key(key, EC_KEY_get0_private_key(made.get())) == 1 &&
                 EC_KEY_set_public_key(key, EC_KEY_get0_public_key(made.get())) == 1
             ? 1
             : 0;
}

}  // namespace

EC_KEY_METHOD* NewEcMethod() {
  EC_KEY_METHOD* const method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
  if (method == nullptr) return nullptr;
  const EcFunctions& functions = Libcrypto();
  // libcrypto's sign and verify encode and decode signatures; they call Sign and Verify for the
  // rest.
  EC_KEY_METHOD_set_sign(method, functions.sign, functions.sign_setup, Sign);
  EC_KEY_METHOD_set_verify(method, functions.verify, Verify);
  EC_KEY_METHOD_set_keygen(method, Generate);
  EC_KEY_METHOD_set_compute_key(method, ComputeKey);
  return method;
}

}  // namespace engine::openssl::engine
