// Request: one piece of work for the card, in the caller's storage.
//
// Ownership: the caller owns a request until Submit answers kOk, and again from
// the moment QueuePair::PopCompleted hands it back. In between the card owns it
// and everything it points to: neither is touched, moved or freed.
// Threads: the hand-over in each direction carries an acquire/release pair.
#ifndef GHOSTCARD_HWSIM_REQUEST_H_
#define GHOSTCARD_HWSIM_REQUEST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hwsim/clock.h"

namespace hwsim {

// What the latency model charges for. The names in configuration files are
// those of OperationName().
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
  kOther,  // work of the caller's own
};
inline constexpr size_t kOperationKindCount = 12;

// "null", "copy", "crc32c", "sha256", "aes128_gcm", "aes256_gcm", "rsa2048_sign",
// "rsa4096_sign", "ecdsa_p256_sign", "x25519", "deflate", "other".
std::string_view OperationName(OperationKind kind);

enum class SubmitStatus : uint8_t {
  kOk,     // accepted: the card owns the request until it completes
  kAgain,  // no slot is free: nothing happened, the caller still owns the request; retry when one
           // is
  kError,  // the card is broken or resetting: nothing happened; clean up, a retry will not help
           // soon
};

enum class CompletionStatus : uint8_t {
  kPending,          // not completed yet
  kOk,               // done, the result is in place
  kOperationFailed,  // the work itself failed, as it would in software (bad key, short buffer)
  kDeviceError,      // the card failed the request: the result is not to be used
  kCardReset,        // the card was reset, or lost, with the request on it: the same, and more so
};

struct Request {
  // Runs the work. Called once by the card, on one of its own threads, never on
  // the submitter's. False when the work failed.
  using ExecuteFn = bool (*)(Request&) noexcept;

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Set by the caller before Submit; constant while the card owns the request.
  OperationKind kind = OperationKind::kNull;
  uint32_t size_bytes = 0;      // what the model charges for; not a buffer's length
  ExecuteFn execute = nullptr;  // nullptr: there is no work, the card only waits
  std::span<std::byte> output;  // where the result goes, for faults that damage it; may be empty

  // Written by the card before completion, read by the caller after it.
  CompletionStatus status = CompletionStatus::kPending;
  uint64_t number = 0;        // 1, 2, 3 ... among those that its queue pair had room for
  TimePoint arrived{};        // when the card saw the request
  TimePoint service_start{};  // modelled: when an engine took it up
  TimePoint due{};            // modelled: when it was to complete
  TimePoint completed{};      // when the card did complete it: completed - due is its lateness

  // The completion record: set last, with release, when the fields above stand.
  // A member of a batch can be looked at through it before the batch's own
  // completion arrives; it is handed back with the batch all the same.
  std::atomic<bool> done{false};

  // The card's and the queue pair's own.
  Request* next_in_batch = nullptr;
  Request* first_in_batch = nullptr;  // none: not in a batch
  uint32_t batch_open = 0;            // in a batch's first member: members not done yet
  uint32_t parts_open = 0;            // of the model's time and the work: what is not over yet
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_REQUEST_H_
