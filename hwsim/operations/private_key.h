// PrivateKey, and the operations that use one: Sign and X25519.
//
// Threads: a PrivateKey does not change and may be used from any thread. An operation belongs to
// one thread at a time.
// Ownership: operations share a key. The key material is freed, and overwritten by libcrypto, when
// the last owner is destroyed. It reaches no message.
// Limits: a message is at most kInputBytesMax, which is CHECKed.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_PRIVATE_KEY_H_
#define GHOSTCARD_HWSIM_OPERATIONS_PRIVATE_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"
#include "hwsim/operations/input_bytes.h"
#include "hwsim/operations/request.h"

namespace hwsim::operations {

// A private key in the card's key memory.
class PrivateKey {
 public:
  enum class Type : uint8_t { kRsa2048, kRsa4096, kEcdsaP256, kX25519 };

  // Makes a random key. Fails with libcrypto's reason.
  static Expected<std::shared_ptr<const PrivateKey>> Generate(Type type);
  // Reads a key from PEM, PKCS#8 or traditional, at most kInputBytesMax long. Fails when the text
  // has no private key, the key is of another type, or the key is encrypted: there is no prompt
  // for a passphrase.
  static Expected<std::shared_ptr<const PrivateKey>> FromPem(Type type, std::string_view pem);
  ~PrivateKey();
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  Type type() const { return type_; }
  // The public key as a DER SubjectPublicKeyInfo (RFC 5280); for X25519 the 32 raw bytes
  // (RFC 7748).
  std::vector<std::byte> PublicKey() const;
  // The EVP_PKEY*, for the operations in this file. The key still owns it.
  void* handle() const { return key_; }

 private:
  PrivateKey(Type type, void* key) : type_(type), key_(key) {}
  Type type_;
  void* key_;
};

// For messages.
}  // namespace hwsim::operations

namespace hwsim {
template <>
inline constexpr auto kNamesOf<operations::PrivateKey::Type> =
    std::to_array<EnumName<operations::PrivateKey::Type>>({
        {operations::PrivateKey::Type::kRsa2048, "RSA-2048"},
        {operations::PrivateKey::Type::kRsa4096, "RSA-4096"},
        {operations::PrivateKey::Type::kEcdsaP256, "P-256"},
        {operations::PrivateKey::Type::kX25519, "X25519"},
    });
}  // namespace hwsim

namespace hwsim::operations {

// A signature over the SHA-256 digest of a message: PKCS#1 v1.5 (RFC 8017) with RSA, DER-encoded
// ECDSA (FIPS 186-5) with P-256.
template <OperationKind kOperation>
class Sign {
 public:
  static constexpr OperationKind kKind = kOperation;
  // Copies the message. CHECKs that the key's type is the operation's.
  Sign(std::shared_ptr<const PrivateKey> key, Bytes message);
  // The message's length.
  uint32_t size_bytes() const { return static_cast<uint32_t>(message_.size()); }
  std::span<std::byte> output() { return signature_; }
  // Signs. Returns false, and leaves the signature empty, when libcrypto fails.
  bool Execute() noexcept;
  Bytes signature() const { return signature_; }

 private:
  std::shared_ptr<const PrivateKey> key_;
  std::vector<std::byte> message_;
  std::vector<std::byte> signature_;
};
using Rsa2048Sign = Sign<OperationKind::kRsa2048Sign>;
using Rsa4096Sign = Sign<OperationKind::kRsa4096Sign>;
using EcdsaP256Sign = Sign<OperationKind::kEcdsaP256Sign>;
extern template class Sign<OperationKind::kRsa2048Sign>;
extern template class Sign<OperationKind::kRsa4096Sign>;
extern template class Sign<OperationKind::kEcdsaP256Sign>;

// The shared secret of an X25519 key and a peer's 32 raw public bytes (RFC 7748).
class X25519 {
 public:
  static constexpr OperationKind kKind = OperationKind::kX25519;
  // CHECKs that the key is an X25519 key.
  X25519(std::shared_ptr<const PrivateKey> key, std::span<const std::byte, 32> peer);
  ~X25519();
  uint32_t size_bytes() const { return 32; }
  std::span<std::byte> output() { return secret_; }
  // Derives the secret. Returns false, and leaves the secret zeroed, when the peer's point is of
  // low order or libcrypto fails.
  bool Execute() noexcept;
  const std::array<std::byte, 32>& secret() const { return secret_; }

 private:
  std::shared_ptr<const PrivateKey> key_;
  std::array<std::byte, 32> peer_;
  std::array<std::byte, 32> secret_{};
};

}  // namespace hwsim::operations

#endif  // GHOSTCARD_HWSIM_OPERATIONS_PRIVATE_KEY_H_
