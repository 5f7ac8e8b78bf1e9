// Transport: carries descriptors from the host to the card and back.
//
// A Transport is the card's side: one receive queue for all queue pairs. It opens one Channel per
// queue pair: a request ring, a completion ring and an interrupt line. There are two
// implementations: uring_transport.h (io_uring and MSG_RING) and memory_transport.h (rings in
// shared memory and eventfds, where the kernel refuses io_uring, and as the upper bound of speed).
//
//   | method                       | thread                                            |
//   | ---------------------------- | ------------------------------------------------- |
//   | OpenChannel                  | the creator, before the card starts               |
//   | Channel::Push                | one at a time (the queue pair's submit lock)      |
//   | Channel::Pop, Arm, Disarm    | one at a time (the queue pair's pop lock)         |
//   | Channel::interrupt_fd        | any                                               |
//   | Receive, Sleep, Complete,    | the card's service thread                         |
//   | Raise                        |                                                   |
//   | Wake                         | any                                               |
//
// Ownership: a transport carries words and never reads what they point to. What a thread wrote
// before Push is visible after Receive; what it wrote before Complete is visible after Pop.
// Limits: at most `depth` requests in one channel, which the queue pair enforces, so that no ring
// overflows.
// Errors: after creation the kernel has no reason to refuse a call. If it does, that is a defect,
// and a CHECK ends the process with the errno's name.
#ifndef GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hwsim/base/clock.h"
#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"
#include "hwsim/operations/request.h"

namespace hwsim::rings {

// What travels: a request, a batch (as its first member), or a duplicated response, which is a
// fault and which the host only counts.
class Descriptor {
 public:
  Descriptor() = default;
  static Descriptor One(operations::Request& request) { return Descriptor(Bits(request)); }
  static Descriptor Batch(operations::Request& first) {
    return Descriptor(Bits(first) | kBatchBit);
  }
  // The request may no longer exist: the host must not read it.
  static Descriptor Repeat(uint64_t request_bits) { return Descriptor(request_bits | kRepeatBit); }
  static Descriptor FromWord(uint64_t word) { return Descriptor(word); }

  uint64_t word() const { return word_; }
  bool is_batch() const { return (word_ & kBatchBit) != 0; }
  bool is_repeat() const { return (word_ & kRepeatBit) != 0; }
  operations::Request* request() const {
    return reinterpret_cast<operations::Request*>(word_ & ~(kBatchBit | kRepeatBit));
  }

 private:
  static constexpr uint64_t kBatchBit = 1;
  static constexpr uint64_t kRepeatBit = 2;
  static uint64_t Bits(operations::Request& request) {
    return reinterpret_cast<uint64_t>(&request);
  }
  explicit Descriptor(uint64_t word) : word_(word) {}
  uint64_t word_ = 0;
};
static_assert(alignof(operations::Request) > 3);

class Channel {
 public:
  virtual ~Channel() = default;

  // Puts descriptors on the request ring, from the front of `descriptors`, and rings the doorbell
  // once. Returns how many; the ring had no free entry for the others.
  virtual size_t Push(std::span<const Descriptor> descriptors) = 0;

  // Takes completions, oldest first, up to out.size(). Returns how many; 0: none.
  virtual size_t Pop(std::span<Descriptor> out) = 0;

  // The interrupt line: an eventfd that becomes readable when the line rises. It is a hint: only
  // Pop tells whether there are completions. The channel owns the descriptor.
  virtual int interrupt_fd() const = 0;
  // Lets the line rise. True: completions wait already, so the caller pops instead of sleeping. A
  // channel starts disarmed.
  [[nodiscard]] virtual bool Arm() = 0;
  // Keeps the line low, for example while a handler pops, and makes a readable fd unreadable.
  virtual void Disarm() = 0;

  // Posts completions. With `raise`, the line rises after the last of them if it is armed.
  virtual void Complete(std::span<const Descriptor> descriptors, bool raise) = 0;
  // Raises the line if it is armed.
  virtual void Raise() = 0;
};

struct Arrival {
  Descriptor descriptor;
  uint32_t queue_pair = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;  // "uring", "memory"

  // Each Arrival from this channel carries `queue_pair`. Channels are destroyed before the
  // transport.
  virtual Expected<std::unique_ptr<Channel>> OpenChannel(uint32_t queue_pair, uint32_t depth) = 0;

  // Takes arrivals, up to out.size(). Returns how many; 0: none.
  virtual size_t Receive(std::span<Arrival> out) = 0;
  // Returns when there is an arrival, when Wake() was called since the last Sleep, or after
  // `time_max` (none: no time limit). May return early.
  virtual void Sleep(std::optional<Duration> time_max) = 0;
  // Ends the current Sleep, or the next one if no thread sleeps.
  virtual void Wake() = 0;
};

enum class TransportKind : uint8_t { kAuto, kUring, kMemory };

}  // namespace hwsim::rings

namespace hwsim {
template <>
inline constexpr auto kNamesOf<rings::TransportKind> =
    std::to_array<EnumName<rings::TransportKind>>({
        {rings::TransportKind::kAuto, "auto"},
        {rings::TransportKind::kUring, "uring"},
        {rings::TransportKind::kMemory, "memory"},
    });
}  // namespace hwsim

namespace hwsim::rings {

// kAuto: io_uring, or the memory transport where the kernel refuses io_uring; `note` is then one
// line that says why, and empty otherwise. kUring: the refusal is an error with that line.
Expected<std::unique_ptr<Transport>> CreateTransport(TransportKind kind, uint32_t queue_pairs,
                                                     uint32_t depth, std::string* note);

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_
