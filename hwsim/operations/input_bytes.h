// The inputs of operations: spans of bytes that an operation copies.
//
// Threads: any; a SecretBytes belongs to one thread at a time.
#ifndef GHOSTCARD_HWSIM_OPERATIONS_INPUT_BYTES_H_
#define GHOSTCARD_HWSIM_OPERATIONS_INPUT_BYTES_H_

#include <cstddef>
#include <span>
#include <vector>

namespace hwsim::operations {

using Bytes = std::span<const std::byte>;

// The longest input: 1 GiB. libcrypto and zlib take lengths as int, and an int also has to hold an
// output that is somewhat longer than its input.
inline constexpr size_t kInputBytesMax = size_t{1} << 30;

// A copy of the caller's bytes. CHECKs that they are at most kInputBytesMax.
std::vector<std::byte> CopyInput(Bytes bytes);

// A copy of the caller's bytes that is overwritten before its memory is freed.
class SecretBytes {
 public:
  SecretBytes() = default;
  // CHECKs that `bytes` are at most kInputBytesMax.
  explicit SecretBytes(Bytes bytes);
  ~SecretBytes();
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  Bytes view() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace hwsim::operations

#endif  // GHOSTCARD_HWSIM_OPERATIONS_INPUT_BYTES_H_
