// Call: a call into libcrypto that a card thread makes.
//
// Ownership: it owns everything it uses: copies of its inputs, and shared owners of libcrypto
// objects. Inputs and output may be secret, so their bytes are overwritten before they are freed.
// Errors: a libcrypto error of the card thread is kept; RaiseError() puts it on the error queue of
// the thread that asked for the call.
// Threads: one at a time, as the operation that contains it.
#ifndef GHOSTCARD_ENGINE_OPENSSL_CALL_H_
#define GHOSTCARD_ENGINE_OPENSSL_CALL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/openssl/offload.h"
#include "hwsim/operations/request.h"

namespace engine::openssl {

// Input or output bytes of a call; overwritten before they are freed.
class CallBytes {
 public:
  CallBytes() = default;
  explicit CallBytes(size_t size) : bytes_(size) {}
  CallBytes(const unsigned char* from, size_t size) : bytes_(from, from + size) {}
  CallBytes(CallBytes&&) = default;
  CallBytes& operator=(CallBytes&&) = delete;
  CallBytes(const CallBytes& other) : bytes_(other.bytes_) {}  // for std::function
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
  // Makes the call. `out` has `out_bytes_max` bytes; the function writes the output there and
  // shrinks it to the output's size. False: the call failed. It runs again when the card retries or
  // the caller takes over, and must then give an equivalent result (see ContextChange).
  using Function = std::function<bool(CallBytes& out)>;

  Call(hwsim::operations::OperationKind kind, size_t size_bytes, size_t out_bytes_max,
       Function function)
      : kind_(kind),
        size_bytes_(static_cast<uint32_t>(size_bytes)),
        function_(std::move(function)),
        out_bytes_max_(out_bytes_max),
        out_(out_bytes_max) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  hwsim::operations::OperationKind kind() const { return kind_; }
  uint32_t size_bytes() const { return size_bytes_; }
  std::span<std::byte> output() {
    return std::as_writable_bytes(std::span(out_.data(), out_.size()));
  }
  bool Execute() noexcept;

  // The output of a successful call.
  const CallBytes& out() const { return out_; }
  // Puts the error of the failed call on this thread's error queue.
  void RaiseError() const;

 private:
  struct Error {
    int library = 0, reason = 0;
    std::string data;
  };
  void KeepError();

  hwsim::operations::OperationKind kind_;
  uint32_t size_bytes_;
  Function function_;
  size_t out_bytes_max_;
  CallBytes out_;
  Error error_;
};

// Runs the call on the card, or in the caller (see software_fallback). True: the output is in
// `operation->out()`. False: it failed, and this thread's error queue says why.
bool MakeCall(Offload& offload, Operation<Call>& operation);

// Puts "ghostcard: `message`" on this thread's error queue.
void RaiseError(const std::string& message);

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_CALL_H_
