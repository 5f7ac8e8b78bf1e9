#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"

namespace engine::openssl::engine {

namespace {

using RsaFunction = int (*)(int size, const unsigned char* from, unsigned char* to, RSA* rsa,
                            int padding);

hwsim::operations::OperationKind KindOf(const RSA* rsa, bool is_private) {
  if (is_private && RSA_bits(rsa) == 2048) return hwsim::operations::OperationKind::kRsa2048Sign;
  if (is_private && RSA_bits(rsa) == 4096) return hwsim::operations::OperationKind::kRsa4096Sign;
  return hwsim::operations::OperationKind::kOther;
}

std::shared_ptr<RSA> Share(RSA* rsa) {
  RSA_up_ref(rsa);
  return {rsa, RSA_free};
}

// Runs one of libcrypto's four RSA functions on the card and returns its result.
int Run(RsaFunction function, bool is_private, int size, const unsigned char* from,
        unsigned char* to, RSA* rsa, int padding) {
  if (size < 0 || !Module::Get().GoesToCard(Algorithm::kRsa)) {
    return function(size, from, to, rsa, padding);
  }
  const auto bytes = static_cast<size_t>(RSA_size(rsa));
  Operation<Call> call(KindOf(rsa, is_private), bytes, bytes,
                       Module::Get().WrapForCard(
                           RequestClass::kAsymmetric,
                           [function, padding, shared = Share(rsa),
                            input = CallBytes(from, static_cast<size_t>(size))](CallBytes& out) {
                             const int result =
                                 function(static_cast<int>(input.size()), input.data(), out.data(),
                                          shared.get(), padding);
                             if (result >= 0) out.Resize(static_cast<size_t>(result));
                             return result >= 0;
                           }));
  if (!Module::Get().Run(call)) return -1;
  std::copy_n(call->out().data(), call->out().size(), to);
  return static_cast<int>(call->out().size());
}

int PrivateEncrypt(int size, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  return Run(RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL()), true, size, from, to, rsa, padding);
}
int PrivateDecrypt(int size, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  return Run(RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL()), true, size, from, to, rsa, padding);
}
int PublicEncrypt(int size, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  return Run(RSA_meth_get_pub_enc(RSA_PKCS1_OpenSSL()), false, size, from, to, rsa, padding);
}
int PublicDecrypt(int size, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  return Run(RSA_meth_get_pub_dec(RSA_PKCS1_OpenSSL()), false, size, from, to, rsa, padding);
}

}  // namespace

RSA_METHOD* NewRsaMethod() {
  RSA_METHOD* const method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
  if (method == nullptr) return nullptr;
  RSA_meth_set1_name(method, "Ghostcard RSA");
  RSA_meth_set_priv_enc(method, PrivateEncrypt);
  RSA_meth_set_priv_dec(method, PrivateDecrypt);
  RSA_meth_set_pub_enc(method, PublicEncrypt);
  RSA_meth_set_pub_dec(method, PublicDecrypt);
  return method;
}

}  // namespace engine::openssl::engine
