// Request: one piece of work for the card, in the caller's storage.
//
// Ownership: the caller owns a request until Submit returns kOk, and again after
// QueuePair::PopCompleted returned it. In between, the card owns the request and everything that it
// points to: the caller does not touch, move or free any of it.
// Threads: Submit and PopCompleted pass a request on with a release/acquire pair, so each side sees
// what the other side wrote.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_REQUEST_H_
#define GHOSTCARD_HWSIM_OPERATIONS_REQUEST_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hwsim/base/clock.h"
#include "hwsim/base/enum_names.h"

namespace hwsim::operations {

// The kind of work: the latency model computes a request's service time from it and from the
// request's size.
enum class OperationKind : uint8_t {
  kNull,
  kCopy,
  kCrc32c,
  kSha256,
  kAes128Gcm,
  kAes256Gcm,
  kRsa2048Sign,
  kRsa4096Sign,
  kEcdsaP256Sign,
  kX25519,
  kDeflate,
  kOther,  // an operation that the caller defines
};

// In configuration files, on command lines and in reports. In the order of the values.
}  // namespace hwsim::operations

namespace hwsim {
template <>
inline constexpr auto kNamesOf<operations::OperationKind> =
    std::to_array<EnumName<operations::OperationKind>>({
        {operations::OperationKind::kNull, "null"},
        {operations::OperationKind::kCopy, "copy"},
        {operations::OperationKind::kCrc32c, "crc32c"},
        {operations::OperationKind::kSha256, "sha256"},
        {operations::OperationKind::kAes128Gcm, "aes128_gcm"},
        {operations::OperationKind::kAes256Gcm, "aes256_gcm"},
        {operations::OperationKind::kRsa2048Sign, "rsa2048_sign"},
        {operations::OperationKind::kRsa4096Sign, "rsa4096_sign"},
        {operations::OperationKind::kEcdsaP256Sign, "ecdsa_p256_sign"},
        {operations::OperationKind::kX25519, "x25519"},
        {operations::OperationKind::kDeflate, "deflate"},
        {operations::OperationKind::kOther, "other"},
    });
}  // namespace hwsim

namespace hwsim::operations {
inline constexpr size_t kOperationKindCount = EnumNames<OperationKind>::kCount;

constexpr std::string_view OperationName(OperationKind kind) {
  return EnumNames<OperationKind>::NameOf(kind);
}

enum class SubmitStatus : uint8_t {
  // Accepted: the card owns the request until it completes.
  kOk,
  // No slot is free. Nothing happened and the caller still owns the request. Retry when a slot is
  // free.
  kAgain,
  // The card is broken or resetting. Nothing happened and the caller still owns the request. Clean
  // up: a retry will not succeed soon.
  kError,
};

enum class CompletionStatus : uint8_t {
  kPending,          // not completed yet
  kOk,               // done: the result is in place
  kOperationFailed,  // the work failed as it would in software, for example with a bad key
  kDeviceError,      // the card failed: do not use the result
  kCardReset,        // the card was reset or lost with the request on it: do not use the result
};

}  // namespace hwsim::operations

namespace hwsim {
template <>
inline constexpr auto kNamesOf<operations::CompletionStatus> =
    std::to_array<EnumName<operations::CompletionStatus>>({
        {operations::CompletionStatus::kPending, "pending"},
        {operations::CompletionStatus::kOk, "ok"},
        {operations::CompletionStatus::kOperationFailed, "operation_failed"},
        {operations::CompletionStatus::kDeviceError, "device_error"},
        {operations::CompletionStatus::kCardReset, "card_reset"},
    });
}  // namespace hwsim

namespace hwsim::operations {

constexpr std::string_view CompletionStatusName(CompletionStatus status) {
  return EnumNames<CompletionStatus>::NameOf(status);
}

struct Request {
  // Does the work. The card calls it at most once per submit: a real card on one of its execution
  // threads, a virtual card on the thread that drives the card. Returns false if the work failed.
  using ExecuteFn = bool (*)(Request&) noexcept;

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // The caller sets these before Submit. They do not change while the card owns the request.
  OperationKind kind = OperationKind::kNull;
  uint32_t size_bytes = 0;      // for the service time; not a buffer's length
  ExecuteFn execute = nullptr;  // nullptr: no work, the service time only
  std::span<std::byte> output;  // the result's bytes, for faults that damage it; may be empty

  // The card writes these before completion, the caller reads them after it.
  CompletionStatus status = CompletionStatus::kPending;
  uint64_t number = 0;        // 1, 2, 3 ... of the requests that its queue pair had room for
  TimePoint arrived{};        // when the card saw the request
  TimePoint service_start{};  // modelled: when a service unit started it
  TimePoint due{};            // modelled: when it has to complete
  TimePoint completed{};      // when it completed; completed - due is how late the card was

  // The completion record: the card sets it last, with release, after the fields above. The
  // submitter of a batch may read a member's `done` before the batch completes. PopCompleted still
  // returns the member together with its batch.
  std::atomic<bool> done{false};

  // For the card and the queue pair only.
  Request* next_in_batch = nullptr;
  Request* first_in_batch = nullptr;  // null: not in a batch
  uint32_t batch_open = 0;            // in a batch's first member: members that are not done
  uint32_t parts_open = 0;            // of two, the modelled time and the work: those not over
};

}  // namespace hwsim::operations

#endif  // GHOSTCARD_HWSIM_OPERATIONS_REQUEST_H_
