// The operations a card runs, as typed values: inputs go in by the constructor,
// Execute() does the real work, the result is read from the fields.
//
// Each owns its buffers, as a card's DMA memory does, so a request that outlives
// its caller (a cancelled one) never touches freed memory. Key material is
// cleansed on destruction and reaches no log.
// Threads: a value belongs to one thread at a time; Execute() may run on any.
// libcrypto work runs on the default provider in a library context of its own,
// so that a provider which submits here never ends up calling itself.
//
// Limits: an input (and additional data) is at most kInputBytesMax; CHECKed.
//
// A type of your own joins in by having kKind or kind(), size_bytes(), output() and
// Execute() (see Workload below): OperationKind::kOther, or whatever it is to cost the time of.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_H_
#define GHOSTCARD_HWSIM_OPERATIONS_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "hwsim/error.h"
#include "hwsim/request.h"

namespace hwsim {

using Bytes = std::span<const std::byte>;

// What libcrypto and zlib take in one call, whose lengths are ints.
inline constexpr size_t kInputBytesMax = size_t{1} << 30;

// What the model charges for: known to the type, or to the value.
template <typename T>
OperationKind KindOf(const T& work) requires requires {
  T::kKind;
} || requires {
  work.kind();
}
{
  if constexpr (requires { T::kKind; }) {
    return T::kKind;
  } else {
    return work.kind();
  }
}

template <typename T>
concept Workload = requires(T work, const T& constant) {
  { KindOf(constant) } -> std::convertible_to<OperationKind>;
  { constant.size_bytes() } -> std::convertible_to<uint32_t>;
  { work.output() } -> std::convertible_to<std::span<std::byte>>;
  { work.Execute() }
  noexcept->std::same_as<bool>;
};

// Bytes that are overwritten before they are freed.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Bytes bytes);
  ~SecretBytes();
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  Bytes view() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

struct Null {
  static constexpr OperationKind kKind = OperationKind::kNull;
  uint32_t size_bytes() const { return 0; }
  std::span<std::byte> output() { return {}; }
  bool Execute() noexcept { return true; }
};

class Copy {
 public:
  static constexpr OperationKind kKind = OperationKind::kCopy;
  explicit Copy(Bytes input);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return output_; }
  bool Execute() noexcept;
  Bytes result() const { return output_; }

 private:
  std::vector<std::byte> input_;
  std::vector<std::byte> output_;
};

// CRC-32C (Castagnoli, reflected 0x82F63B78), as iSCSI and DSA compute it.
class Crc32c {
 public:
  static constexpr OperationKind kKind = OperationKind::kCrc32c;
  explicit Crc32c(Bytes input, uint32_t seed = 0);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return std::as_writable_bytes(std::span(&result_, 1)); }
  bool Execute() noexcept;
  uint32_t result() const { return result_; }

  // The two ways to compute it, which agree; Execute takes the instruction where there is one.
  static uint32_t ByTable(Bytes input, uint32_t seed = 0);
  static bool HasInstruction();
  // Requires: HasInstruction().
  static uint32_t ByInstruction(Bytes input, uint32_t seed = 0);

 private:
  std::vector<std::byte> input_;
  uint32_t seed_;
  uint32_t result_ = 0;
};

class Sha256 {
 public:
  static constexpr OperationKind kKind = OperationKind::kSha256;
  explicit Sha256(Bytes input);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return digest_; }
  bool Execute() noexcept;
  const std::array<std::byte, 32>& digest() const { return digest_; }

 private:
  std::vector<std::byte> input_;
  std::array<std::byte, 32> digest_{};
};

enum class Direction : uint8_t { kEncrypt, kDecrypt };

// AES-GCM with a 16-byte tag, which stands behind the ciphertext. Decryption of
// a message whose tag does not match fails and leaves the output zeroed.
template <size_t kKeyBytes>
class AesGcm {
 public:
  static_assert(kKeyBytes == 16 || kKeyBytes == 32);
  static constexpr OperationKind kKind =
      kKeyBytes == 16 ? OperationKind::kAes128Gcm : OperationKind::kAes256Gcm;
  static constexpr size_t kTagBytes = 16;
  AesGcm(Direction direction, std::span<const std::byte, kKeyBytes> key,
         std::span<const std::byte, 12> iv, Bytes aad, Bytes input);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return output_; }
  bool Execute() noexcept;
  Bytes result() const { return output_; }

 private:
  Direction direction_;
  SecretBytes key_;
  std::array<std::byte, 12> iv_;
  std::vector<std::byte> aad_;
  std::vector<std::byte> input_;
  std::vector<std::byte> output_;
};
using Aes128Gcm = AesGcm<16>;
using Aes256Gcm = AesGcm<32>;
extern template class AesGcm<16>;
extern template class AesGcm<32>;

// A private key in the card's key memory, shared by the operations that use it.
class PrivateKey {
 public:
  enum class Type : uint8_t { kRsa2048, kRsa4096, kEcdsaP256, kX25519 };
  static Expected<std::shared_ptr<const PrivateKey>> Generate(Type type);
  // PEM (PKCS#8 or traditional), at most kInputBytesMax. Fails when it is not a key of that type,
  // or is encrypted: nobody is asked for a passphrase.
  static Expected<std::shared_ptr<const PrivateKey>> FromPem(Type type, std::string_view pem);
  ~PrivateKey();
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  Type type() const { return type_; }
  // DER SubjectPublicKeyInfo; for X25519 the 32 raw bytes.
  std::vector<std::byte> PublicKey() const;
  // The EVP_PKEY*, for the operations themselves.
  void* handle() const { return key_; }

 private:
  PrivateKey(Type type, void* key) : type_(type), key_(key) {}
  Type type_;
  void* key_;
};

// PKCS#1 v1.5 signature over SHA-256 (RSA), DER ECDSA signature over SHA-256 (P-256).
template <OperationKind kOperation>
class Sign {
 public:
  static constexpr OperationKind kKind = kOperation;
  // Requires: the key's type matches the operation's.
  Sign(std::shared_ptr<const PrivateKey> key, Bytes message);
  uint32_t size_bytes() const { return static_cast<uint32_t>(message_.size()); }
  std::span<std::byte> output() { return signature_; }
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

// The shared secret of an X25519 key and a peer's 32 raw public bytes (RFC 7748). Fails, and
// leaves the secret zeroed, when the peer's point is of low order.
class X25519 {
 public:
  static constexpr OperationKind kKind = OperationKind::kX25519;
  X25519(std::shared_ptr<const PrivateKey> key, std::span<const std::byte, 32> peer);
  ~X25519();
  uint32_t size_bytes() const { return 32; }
  std::span<std::byte> output() { return secret_; }
  bool Execute() noexcept;
  const std::array<std::byte, 32>& secret() const { return secret_; }

 private:
  std::shared_ptr<const PrivateKey> key_;
  std::array<std::byte, 32> peer_;
  std::array<std::byte, 32> secret_{};
};

// Raw deflate (RFC 1951), level 1..9.
class Deflate {
 public:
  static constexpr OperationKind kKind = OperationKind::kDeflate;
  explicit Deflate(Bytes input, int level = 1);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return output_; }
  bool Execute() noexcept;
  Bytes result() const { return output_; }

 private:
  std::vector<std::byte> input_;
  std::vector<std::byte> output_;
  int level_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_OPERATIONS_H_
