// Transport: how descriptors travel between the host and the card, and back.
//
// A Transport is the card's end: one receive queue for all queue pairs. It opens
// one Channel per queue pair: a request ring, a completion ring and an interrupt
// line. Two implementations keep this contract: uring_transport.h (io_uring and
// MSG_RING, the real thing) and memory_transport.h (shared-memory rings and
// eventfds, for kernels that refuse io_uring and as the ceiling for speed).
//
//   | method                       | thread                                      |
//   | OpenChannel                  | the creator, before the card starts         |
//   | Channel::Push                | one at a time (the queue pair's submit lock)|
//   | Channel::Pop, Arm, Disarm    | one at a time (the completion lock)         |
//   | Channel::interrupt_fd        | any                                         |
//   | Receive, Sleep, Complete,    |                                             |
//   | Raise                        | the card's service thread                   |
//   | Wake                         | any                                         |
//
// Ownership: descriptors are words; what they point to is the queue pair's and
// the card's business. What a thread wrote before Push is visible after Receive,
// and what it wrote before Complete is visible after Pop.
// Limits: never more than `depth` requests in one channel at a time; the queue
// pair sees to it, so neither ring ever overflows.
// Errors after creation: the kernel has no reason to refuse what follows; a
// refusal is a defect and ends in CHECK with the errno's name.
#ifndef GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hwsim/clock.h"
#include "hwsim/error.h"
#include "hwsim/request.h"

namespace hwsim {

// What travels: a request, a batch named by its first member, or a response that the host has had
// before (a fault), which it only counts.
class Descriptor {
 public:
  Descriptor() = default;
  static Descriptor One(Request& request) { return Descriptor(Bits(request)); }
  static Descriptor Batch(Request& first) { return Descriptor(Bits(first) | kBatchBit); }
  // The request may be gone: nobody looks at it.
  static Descriptor Repeat(uint64_t request_bits) { return Descriptor(request_bits | kRepeatBit); }
  static Descriptor FromWord(uint64_t word) { return Descriptor(word); }

  uint64_t word() const { return word_; }
  bool is_batch() const { return (word_ & kBatchBit) != 0; }
  bool is_repeat() const { return (word_ & kRepeatBit) != 0; }
  Request* request() const { return reinterpret_cast<Request*>(word_ & ~(kBatchBit | kRepeatBit)); }

 private:
  static constexpr uint64_t kBatchBit = 1;
  static constexpr uint64_t kRepeatBit = 2;
  static uint64_t Bits(Request& request) { return reinterpret_cast<uint64_t>(&request); }
  explicit Descriptor(uint64_t word) : word_(word) {}
  uint64_t word_ = 0;
};
static_assert(alignof(Request) > 3);

class Channel {
 public:
  virtual ~Channel() = default;

  // Puts a prefix of `descriptors` on the request ring and rings the doorbell
  // once. Returns how many went; the rest stay the caller's (no free entry).
  virtual size_t Push(std::span<const Descriptor> descriptors) = 0;

  // Takes completions, oldest first, up to out.size(). Returns how many; 0: none.
  virtual size_t Pop(std::span<Descriptor> out) = 0;

  // The interrupt line: an eventfd that becomes readable. A hint; the completion
  // ring is the truth. Stays the channel's.
  virtual int interrupt_fd() const = 0;
  // Arm: from now on the line may rise. Returns true when completions wait
  // already: the caller pops them rather than sleep. A channel starts disarmed.
  [[nodiscard]] virtual bool Arm() = 0;
  // Disarm: the line stays low, as while a handler drains. Makes a readable fd low too.
  virtual void Disarm() = 0;

  // Posts completions; with `raise`, the line rises behind the last of them if armed.
  virtual void Complete(std::span<const Descriptor> descriptors, bool raise) = 0;
  // The line rises now, if armed (moderation time is over).
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

  // `queue_pair` comes back in each Arrival from this channel. Channels end
  // before the transport.
  virtual Expected<std::unique_ptr<Channel>> OpenChannel(uint32_t queue_pair, uint32_t depth) = 0;

  // Takes what arrived, up to out.size(); 0: nothing.
  virtual size_t Receive(std::span<Arrival> out) = 0;
  // Returns when something has arrived, Wake() was called since the last Sleep,
  // or `time_max` is over (none: however long it takes). May return early.
  virtual void Sleep(std::optional<Duration> time_max) = 0;
  virtual void Wake() = 0;
};

enum class TransportKind : uint8_t { kAuto, kUring, kMemory };

// kAuto takes io_uring, or the memory transport where the kernel refuses it, and
// then says why in one line in `note`. kUring fails with that line instead.
Expected<std::unique_ptr<Transport>> CreateTransport(TransportKind kind, uint32_t queue_pairs,
                                                     uint32_t depth, std::string* note);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_TRANSPORT_H_
