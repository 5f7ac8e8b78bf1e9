// Call: a call into libcrypto that the card makes for us.
//
// It owns what it touches: inputs copied, libcrypto's objects counted. Its error goes to the error
// queue of whoever asked, not of the thread that ran it. What it is copied from may be secret, and
// so may its output: both are cleansed.
// Threads: one at a time, as the operation that it is in.
#ifndef GHOSTCARD_ENGINE_OPENSSL_CALL_H_
#define GHOSTCARD_ENGINE_OPENSSL_CALL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/openssl/offload.h"
#include "hwsim/request.h"

namespace engine {

// Bytes in and out of a call; overwritten before they are freed.
class CallBytes {
 public:
  CallBytes() = default;
  explicit CallBytes(size_t size) : bytes_(size) {}
  CallBytes(const unsigned char* from, size_t size) : bytes_(from, from + size) {}
  CallBytes(CallBytes&&) = default;
  CallBytes& operator=(CallBytes&&) = delete;
  CallBytes(const CallBytes& other) : bytes_(other.bytes_) {}  // std::function wants it
  ~CallBytes();

  unsigned char* data() { return bytes_.data(); }
  const unsigned char* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  void Resize(size_t size) { bytes_.resize(size); }

 private:
  std::vector<unsigned char> bytes_;
};

class Call {
 public:
  // Makes the call; puts what comes out into `out`, which has `out_bytes_max` bytes, and shrinks
  // it. Made more than once where the card is asked again, or the caller takes over: it must come
  // to the same each time (see ContextChange).
  using Function = std::function<bool(CallBytes& out)>;

  Call(hwsim::OperationKind kind, size_t size_bytes, size_t out_bytes_max, Function function)
      : kind_(kind),
        size_bytes_(static_cast<uint32_t>(size_bytes)),
        function_(std::move(function)),
        out_bytes_max_(out_bytes_max),
        out_(out_bytes_max) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  hwsim::OperationKind kind() const { return kind_; }
  uint32_t size_bytes() const { return size_bytes_; }
  std::span<std::byte> output() {
    return std::as_writable_bytes(std::span(out_.data(), out_.size()));
  }
  bool Execute() noexcept;

  const CallBytes& out() const { return out_; }
  // Puts the error of the call on this thread's queue.
  void RaiseError() const;

 private:
  struct Error {
    int library = 0, reason = 0;
    std::string data;
  };
  void KeepError();

  hwsim::OperationKind kind_;
  uint32_t size_bytes_;
  Function function_;
  size_t out_bytes_max_;
  CallBytes out_;
  Error error_;
};

// Has the card make the call. False: it failed, and this thread's error queue says why. On success
// the output is in `operation->out()`.
bool MakeCall(Offload& offload, Operation<Call>& operation);

// Puts "ghostcard: `message`" on this thread's error queue.
void RaiseError(const std::string& message);

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_CALL_H_
