// Rows 4 to 6: rings. A card without latency, compared with two threads that only pass words on.
#include "tools/bench_core/core_loops.h"
#include "tools/bench_core/core_rows.h"

namespace tools::bench_core {
namespace {

using benchmark::State;
using hwsim::rings::TransportKind;

constexpr uint32_t kInFlight = 256;
constexpr uint32_t kBurst = 32;

Contender Card(std::string name, LoopOptions options) {
  return {.name = std::move(name),
          .run = [=](State& state) { CardLoop(state, options); },
          .time = Contender::Time::kReal};
}

Contender BareMessages() {
  return {.name = "bare messages",
          .run = [](State& state) { BareMessageLoop(state, kInFlight); },
          .time = Contender::Time::kReal};
}

CoreRow UringRow() {
  Figure throughput = TimesFaster("uring", "bare messages", 0.85);
  throughput.what = "throughput of uring, one request per SQE, in that of bare messages";
  return {.number = 4,
          .name = "uring",
          .contenders = {Card("uring", {.transport = TransportKind::kUring}), BareMessages()},
          .figures = {throughput}};
}

CoreRow UringBatchRow() {
  Figure throughput = TimesFaster("uring batches", "bare messages", 5);
  throughput.what = "throughput of uring, batches of 32, in that of bare messages";
  return {.number = 5,
          .name = "uring batch",
          .contenders = {Card("uring batches", {.transport = TransportKind::kUring,
                                                .handing = Handing::kBatch,
                                                .burst = kBurst}),
                         BareMessages()},
          .figures = {throughput}};
}

CoreRow MemoryRow() {
  Figure bounded = NsOf("memory");
  bounded.what = "a request through memory, bursts of 32";
  bounded.reach = Figure::Reach::kAtMost;
  bounded.bound = 60;
  Figure ratio = TimesAsLong("memory", "bare words", 0);
  ratio.reach = Figure::Reach::kNone;
  return {.number = 6,
          .name = "memory",
          .contenders = {Card("memory", {.burst = kBurst}),
                         {.name = "bare words",
                          .run = [](State& state) { BareMemoryLoop(state, kInFlight, kBurst); },
                          .time = Contender::Time::kReal}},
          .figures = {bounded, ratio}};
}

}  // namespace

std::vector<CoreRow> TransportRows() { return {UringRow(), UringBatchRow(), MemoryRow()}; }

}  // namespace tools::bench_core
