// The operations that a card runs, one class each. The constructor takes the inputs, Execute() does
// the real work, and the accessors give the result. Operations that use a private key are in
// private_key.h, which this header includes.
//
// Ownership: an operation owns copies of its inputs and its output, as a card's DMA memory does. So
// a request that outlives its submitter, because the submitter gave up, touches no freed memory.
// Key material is overwritten on destruction and reaches no log. Threads: an operation belongs to
// one thread at a time; Execute() may run on any thread. Work for libcrypto runs in the default
// provider, in a library context of the card's own (libcrypto.h): a provider that submits to the
// card is never called by the card. Limits: each input is at most kInputBytesMax (1 GiB), which is
// CHECKed.
//
// To define an operation of your own, write a class that meets the concept Workload below. Its kind
// is OperationKind::kOther, or the kind whose service time it takes.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_OPERATIONS_H_
#define GHOSTCARD_HWSIM_OPERATIONS_OPERATIONS_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hwsim/operations/input_bytes.h"
#include "hwsim/operations/private_key.h"  // IWYU pragma: export
#include "hwsim/operations/request.h"

namespace hwsim::operations {

// The kind of an operation: a constant of its class, T::kKind, or a value, kind().
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

// What an operation has. size_bytes(): what the service time is computed from. output(): the
// result's bytes, for faults that damage it; may be empty. Execute(): does the work and returns
// whether it succeeded; the card may call it again.
template <typename T>
concept Workload = requires(T work, const T& constant) {
  { KindOf(constant) } -> std::convertible_to<OperationKind>;
  { constant.size_bytes() } -> std::convertible_to<uint32_t>;
  { work.output() } -> std::convertible_to<std::span<std::byte>>;
  { work.Execute() }
  noexcept->std::same_as<bool>;
};

// No work: the card takes the request's service time and nothing else.
struct Null {
  static constexpr OperationKind kKind = OperationKind::kNull;
  uint32_t size_bytes() const { return 0; }
  std::span<std::byte> output() { return {}; }
  bool Execute() noexcept { return true; }
};

// A copy of the input.
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

// CRC-32C: Castagnoli's polynomial, reflected 0x82F63B78, initial and final value inverted, as
// iSCSI (RFC 3720) and Intel DSA compute it.
class Crc32c {
 public:
  static constexpr OperationKind kKind = OperationKind::kCrc32c;
  // `seed`: the CRC-32C of the bytes before `input`; 0: there are none.
  explicit Crc32c(Bytes input, uint32_t seed = 0);
  uint32_t size_bytes() const { return static_cast<uint32_t>(input_.size()); }
  std::span<std::byte> output() { return std::as_writable_bytes(std::span(&result_, 1)); }
  bool Execute() noexcept;
  uint32_t result() const { return result_; }

  // Two ways to compute the same CRC. Execute() uses the instruction if the processor has it.
  static uint32_t ByTable(Bytes input, uint32_t seed = 0);
  // Whether the processor has SSE4.2's crc32 instruction.
  static bool HasInstruction();
  // Requires: HasInstruction().
  static uint32_t ByInstruction(Bytes input, uint32_t seed = 0);

 private:
  std::vector<std::byte> input_;
  uint32_t seed_;
  uint32_t result_ = 0;
};

// SHA-256 (FIPS 180-4).
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

// AES-GCM (NIST SP 800-38D) with a 12-byte IV and a 16-byte tag that follows the ciphertext: the
// output of an encryption, and the input of a decryption. A decryption fails, and leaves the output
// zeroed, if the tag does not match or the input is too short to hold one.
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

// Raw deflate (RFC 1951): no header, a 32 KiB window.
class Deflate {
 public:
  static constexpr OperationKind kKind = OperationKind::kDeflate;
  // `level`: zlib's, 1 (fastest) to 9 (smallest), which is CHECKed.
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

}  // namespace hwsim::operations

#endif  // GHOSTCARD_HWSIM_OPERATIONS_OPERATIONS_H_
