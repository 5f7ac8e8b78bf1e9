#include "tools/scenario/operation_mix.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/operation.h"
#include "hwsim/operations/operations.h"

namespace tools::scenario {

namespace {

using hwsim::operations::OperationKind;

// `size` bytes that begin with the operation's number, so that no two results are equal by chance.
std::vector<std::byte> MessageOf(uint64_t number, uint32_t size) {
  std::vector<std::byte> message(std::max<uint32_t>(size, 8));
  for (size_t i = 0; i < 8; ++i) message[i] = static_cast<std::byte>(number >> (8 * i));
  message.resize(size);
  return message;
}

template <typename T, typename... Args>
void Make(SimulatedJob& job, const Args&... args) {
  auto operation = std::make_unique<engine::Operation<T>>(args...);
  job.run_in_software = [&work = **operation, args...] {
    T software(args...);
    const bool succeeds = software.Execute();
    return SimulatedJob::SoftwareResult{
        .succeeds = succeeds,
        .equal = succeeds && std::ranges::equal(software.output(), work.output())};
  };
  job.operation = std::move(operation);
}

constexpr std::array<std::byte, 16> kKey{};
constexpr std::array<std::byte, 12> kIv{};

void MakeAesGcm(SimulatedJob& job, hwsim::operations::Direction direction,
                hwsim::operations::Bytes input) {
  Make<hwsim::operations::Aes128Gcm>(job, direction, std::span<const std::byte, 16>(kKey),
                                     std::span<const std::byte, 12>(kIv),
                                     hwsim::operations::Bytes(), input);
}

// An operation of that kind on the job's message.
void MakeKind(SimulatedJob& job, OperationKind kind) {
  const hwsim::operations::Bytes message(job.message);
  switch (kind) {
    case OperationKind::kNull:
      return Make<hwsim::operations::Null>(job);
    case OperationKind::kCopy:
      return Make<hwsim::operations::Copy>(job, message);
    case OperationKind::kCrc32c:
      return Make<hwsim::operations::Crc32c>(job, message);
    case OperationKind::kAes128Gcm:
      return MakeAesGcm(job, hwsim::operations::Direction::kEncrypt, message);
    case OperationKind::kDeflate:
      return Make<hwsim::operations::Deflate>(job, message);
    default:
      return Make<hwsim::operations::Sha256>(job, message);
  }
}

}  // namespace

void OperationMix::MakeNext(SimulatedJob& job, uint64_t number, bool may_forge) {
  const size_t choice = options_.mix.size() > 1 ? random_.Next() % options_.mix.size() : 0;
  job.message = MessageOf(number, options_.size_bytes);
  if (options_.tamper && may_forge) {
    static constexpr std::array<std::byte, 32> kForged{};
    MakeAesGcm(job, hwsim::operations::Direction::kDecrypt, hwsim::operations::Bytes(kForged));
  } else {
    MakeKind(job, options_.mix[choice]);
  }
}

}  // namespace tools::scenario
