// Core loops: a card without latency kept full from one thread, and the same without a card: what
// the rows about transports and whole paths share.
//
// Threads: the caller's; the card's or the loop's own on the other side.
#ifndef GHOSTCARD_TOOLS_CORE_LOOPS_H_
#define GHOSTCARD_TOOLS_CORE_LOOPS_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>

#include "hwsim/base/thread_timing.h"
#include "hwsim/real_card.h"

namespace tools {

using hwsim::SpinPause;

// How requests are handed to a queue pair.
enum class Handing : uint8_t {
  kOneByOne,  // a submit, and a doorbell, each: what a job does
  kList,      // one descriptor each, one doorbell for all that came back
  kBatch,     // one descriptor for all of a burst
};

struct LoopOptions {
  hwsim::TransportKind transport = hwsim::TransportKind::kMemory;
  Handing handing = Handing::kList;
  uint32_t in_flight = 256;
  uint32_t burst = 256;  // popped and submitted at a time
  uint32_t queue_pairs = 1;
};

// A card that takes no time, with depth for `in_flight` requests and no interrupts. Null: it
// cannot be had, and `state` says why.
std::unique_ptr<hwsim::RealCard> CardWithoutLatency(benchmark::State& state,
                                                    const LoopOptions& options);

// Keeps `in_flight` null requests on a card, by polling. An iteration is one request.
void CardLoop(benchmark::State& state, const LoopOptions& options);

// Two io_urings, two threads, messages there and back, nothing else.
void BareMessageLoop(benchmark::State& state, uint32_t in_flight);
// Two rings in shared memory, two threads, words there and back, nothing else.
void BareMemoryLoop(benchmark::State& state, uint32_t in_flight, uint32_t burst);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_CORE_LOOPS_H_
