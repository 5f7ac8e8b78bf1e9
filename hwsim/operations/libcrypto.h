// libcrypto.h: what code that calls libcrypto needs: owners for its objects, and a guard for the
// thread's error queue.
//
// Threads: any. Ownership: Freer lets a std::unique_ptr or a std::shared_ptr own a libcrypto
// object.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_LIBCRYPTO_H_
#define GHOSTCARD_HWSIM_OPERATIONS_LIBCRYPTO_H_

#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>

namespace hwsim::operations {

// A deleter that calls `kFree`: std::unique_ptr<BIO, Freer<BIO_free_all>>.
template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;

// Removes, at the end of its scope, the errors that libcrypto put into the thread's error queue
// within the scope. The queue belongs to the program that calls us.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

// The reason of the newest error in the thread's error queue, which stays as it is; "no reason
// given" when the queue is empty or libcrypto has no text for the error.
std::string LastLibcryptoError();

// libcrypto takes bytes as unsigned char.
inline const unsigned char* U8(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
inline unsigned char* U8(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// The card's libcrypto: a library context with the default provider alone. The program's default
// context may prefer a provider that submits to this card; operations in this context never do.
// A null algorithm makes libcrypto's functions fail.
struct CardLibrary {
  OSSL_LIB_CTX* context;
  OSSL_PROVIDER* provider;
  EVP_MD* sha256;
  EVP_CIPHER* aes128_gcm;
  EVP_CIPHER* aes256_gcm;

  // Made at the first call and never freed, because operations may run until the process ends.
  // CHECKs that the default provider can be loaded and has SHA-256.
  static const CardLibrary& Get();
};

}  // namespace hwsim::operations

#endif  // GHOSTCARD_HWSIM_OPERATIONS_LIBCRYPTO_H_
