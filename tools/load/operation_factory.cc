#include "tools/load/operation_factory.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/operations/operations.h"

namespace tools::load {

using hwsim::operations::Bytes;
using hwsim::operations::OperationKind;

namespace {

// An input that is always the same, and that deflate cannot shrink to almost nothing.
std::vector<std::byte> Pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>((state >> 24) & 0x3f);
  }
  return bytes;
}

template <typename T>
engine::OperationHandle MakeAesGcm(const std::vector<std::byte>& input) {
  constexpr size_t kKeyBytes = T::kKind == OperationKind::kAes128Gcm ? 16 : 32;
  static constexpr std::array<std::byte, kKeyBytes> kKey{};
  static constexpr std::array<std::byte, 12> kIv{};
  return engine::Operation<T>(hwsim::operations::Direction::kEncrypt,
                              std::span<const std::byte, kKeyBytes>(kKey),
                              std::span<const std::byte, 12>(kIv), Bytes{}, Bytes(input));
}

std::optional<hwsim::operations::PrivateKey::Type> KeyTypeOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kRsa2048Sign:
      return hwsim::operations::PrivateKey::Type::kRsa2048;
    case OperationKind::kRsa4096Sign:
      return hwsim::operations::PrivateKey::Type::kRsa4096;
    case OperationKind::kEcdsaP256Sign:
      return hwsim::operations::PrivateKey::Type::kEcdsaP256;
    case OperationKind::kX25519:
      return hwsim::operations::PrivateKey::Type::kX25519;
    default:
      return std::nullopt;
  }
}

}  // namespace

hwsim::Expected<OperationFactory> OperationFactory::Create(OperationKind kind,
                                                           uint32_t size_bytes) {
  std::shared_ptr<const hwsim::operations::PrivateKey> key;
  if (const auto type = KeyTypeOf(kind)) {
    auto made = hwsim::operations::PrivateKey::Generate(*type);
    if (!made) return hwsim::Unexpected(std::move(made.error()));
    key = std::move(*made);
  }
  const std::vector<std::byte> input = Pattern(size_bytes);
  return OperationFactory([kind, key, input]() -> engine::OperationHandle {
    switch (kind) {
      case OperationKind::kNull:
        return engine::Operation<hwsim::operations::Null>();
      case OperationKind::kCopy:
        return engine::Operation<hwsim::operations::Copy>(Bytes(input));
      case OperationKind::kCrc32c:
        return engine::Operation<hwsim::operations::Crc32c>(Bytes(input));
      case OperationKind::kSha256:
        return engine::Operation<hwsim::operations::Sha256>(Bytes(input));
      case OperationKind::kAes128Gcm:
        return MakeAesGcm<hwsim::operations::Aes128Gcm>(input);
      case OperationKind::kAes256Gcm:
        return MakeAesGcm<hwsim::operations::Aes256Gcm>(input);
      case OperationKind::kRsa2048Sign:
        return engine::Operation<hwsim::operations::Rsa2048Sign>(key, Bytes(input));
      case OperationKind::kRsa4096Sign:
        return engine::Operation<hwsim::operations::Rsa4096Sign>(key, Bytes(input));
      case OperationKind::kEcdsaP256Sign:
        return engine::Operation<hwsim::operations::EcdsaP256Sign>(key, Bytes(input));
      case OperationKind::kX25519: {
        static constexpr std::array<std::byte, 32> kBasePoint{std::byte{9}};
        return engine::Operation<hwsim::operations::X25519>(
            key, std::span<const std::byte, 32>(kBasePoint));
      }
      case OperationKind::kDeflate:
        return engine::Operation<hwsim::operations::Deflate>(Bytes(input));
      case OperationKind::kOther:
        break;
    }
    GHOSTCARD_CHECK(false, "no operation of that kind can be made from its name");
  });
}

}  // namespace tools::load
