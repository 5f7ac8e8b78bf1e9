// Core loops: loops that keep a card without latency full from one thread, and loops of the same
// shape without a card. The rows about transports and whole paths share them.
//
// Threads: the caller's thread, and on the other side the card's thread or one of the loop.
#ifndef GHOSTCARD_TOOLS_BENCH_CORE_CORE_LOOPS_H_
#define GHOSTCARD_TOOLS_BENCH_CORE_CORE_LOOPS_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>

#include "hwsim/base/thread_timing.h"
#include "hwsim/card/real_card.h"

namespace tools::bench_core {

using hwsim::SpinPause;

// How requests are handed to a queue pair.
enum class Handing : uint8_t {
  kOneByOne,  // one submit and one doorbell for each request, as a job does
  kList,      // one descriptor for each request, one doorbell for all that completed together
  kBatch,     // one descriptor and one doorbell for a burst
};

struct LoopOptions {
  hwsim::rings::TransportKind transport = hwsim::rings::TransportKind::kMemory;
  Handing handing = Handing::kList;
  uint32_t in_flight = 256;
  uint32_t burst = 256;  // popped and submitted at a time
  uint32_t queue_pairs = 1;
};

// A card that takes no time, with room for `in_flight` requests and without interrupts. Null: the
// card could not be made; the error of `state` says why.
std::unique_ptr<hwsim::card::RealCard> CardWithoutLatency(benchmark::State& state,
                                                          const LoopOptions& options);

// Keeps `in_flight` null requests on a card and polls for completions. An iteration is one request.
void CardLoop(benchmark::State& state, const LoopOptions& options);

// Two threads send messages back and forth between two io_urings, without a card.
void BareMessageLoop(benchmark::State& state, uint32_t in_flight);
// Two threads send words back and forth through two rings in shared memory, without a card.
void BareMemoryLoop(benchmark::State& state, uint32_t in_flight, uint32_t burst);

}  // namespace tools::bench_core

#endif  // GHOSTCARD_TOOLS_BENCH_CORE_CORE_LOOPS_H_
