#include "hwsim/card/result_damage.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hwsim/base/random.h"

namespace hwsim::card {
namespace {

// Flips `count` different bits, or all of them if there are fewer, drawn from `seed`.
void FlipBits(std::span<std::byte> bytes, uint32_t count, uint64_t seed) {
  if (bytes.empty()) return;
  Random random(seed);
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  const uint64_t first = random.Next() % bits;
  // Spread evenly, so that no bit is flipped twice.
  const uint64_t flips = std::min<uint64_t>(count, bits);
  const uint64_t distance = std::max<uint64_t>(1, bits / flips);
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t bit = (first + i * distance) % bits;
    bytes[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
  }
}

}  // namespace

void ResultDamage::Apply(operations::Request& request) {
  const auto found = faults_.find(&request);
  if (found == faults_.end()) return;
  const faults::Fault fault = found->second;
  faults_.erase(found);
  const bool succeeded = request.status == operations::CompletionStatus::kPending;
  if (fault.kind == faults::FaultKind::kWrongResult) {
    if (succeeded) FlipBits(request.output, fault.times, fault.draw);
  } else if (succeeded) {
    request.status = operations::CompletionStatus::kOperationFailed;
  } else if (request.status == operations::CompletionStatus::kOperationFailed) {
    request.status = operations::CompletionStatus::kOk;
  }
}

}  // namespace hwsim::card
