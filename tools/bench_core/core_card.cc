// Rows 10 and 11: the cost of one simulated request, and of a card that has nothing to do.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "hwsim/card/real_card.h"
#include "hwsim/card/virtual_card.h"
#include "tools/bench_core/core_rows.h"

namespace tools::bench_core {
namespace {

using benchmark::State;
using hwsim::completion::CompletionMode;
using hwsim::operations::Request;
using hwsim::rings::TransportKind;

// --- 10: the virtual card ---

// The largest depth of a queue pair.
constexpr uint32_t kDepthMax = 32768;

// Each request takes its own time, so that the card's events do not come in order of submission.
hwsim::model::Profile ModelledCard() {
  hwsim::model::Profile profile;
  profile.service_units = 65536;
  profile.cost(hwsim::operations::OperationKind::kNull).service = {
      .distribution = hwsim::model::LatencyModel::Distribution::kUniform,
      .base = std::chrono::microseconds(10),
      .spread = std::chrono::microseconds(10)};
  return profile;
}

// Simulates `requests` requests, `in_flight` at a time, from an empty card until it is empty again.
// Each iteration has a card of its own.
void Simulate(State& state, uint64_t requests, uint32_t in_flight) {
  const uint32_t queue_pairs = (in_flight + kDepthMax - 1) / kDepthMax;
  std::deque<Request> storage(in_flight);
  std::vector<Request*> popped(64);
  for ([[maybe_unused]] auto _ : state) {
    auto card = hwsim::card::VirtualCard::Create({.profile = ModelledCard(),
                                                  .queue_pairs = queue_pairs,
                                                  .depth = std::min(in_flight, kDepthMax)});
    if (!card) return state.SkipWithError(card.error().message.c_str());
    (*card)->SetInterrupts(false);
    uint64_t submitted = 0;
    for (Request& request : storage) {
      auto& queue_pair = *(*card)->queue_pairs()[submitted % queue_pairs];
      if (submitted == requests ||
          queue_pair.Submit(request) != hwsim::operations::SubmitStatus::kOk)
        break;
      ++submitted;
    }
    for (uint64_t completed = 0; completed < requests && (*card)->Step();) {
      for (const auto& queue_pair : (*card)->queue_pairs()) {
        for (size_t count = 1; count != 0; completed += count) {
          count = queue_pair->PopCompleted(popped);
          for (size_t i = 0; i < count && submitted < requests; ++i, ++submitted) {
            (void)queue_pair->Submit(*popped[i]);
          }
        }
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(requests));
}

Contender Simulation(uint64_t requests, uint32_t in_flight) {
  return {
      .name = std::to_string(requests) + " requests, " + std::to_string(in_flight) + " in flight",
      .run = [=](State& state) { Simulate(state, requests, in_flight); }};
}

CoreRow VirtualRow() {
  CoreRow row{.number = 10, .name = "virtual card"};
  constexpr uint64_t kMany = 1'000'000;
  for (const uint64_t requests : {1'000UL, 10'000UL, 100'000UL}) {
    row.contenders.push_back(Simulation(requests, 256));
  }
  for (const uint32_t in_flight : {1U, 16U, 256U, 1'000U, 10'000U, 100'000U}) {
    row.contenders.push_back(Simulation(kMany, in_flight));
  }
  for (const Contender& contender : row.contenders) {
    row.figures.push_back(
        {.what = contender.name,
         .unit = "/s",
         .value = [name = contender.name](const Measured& m) { return 1e9 / m.Ns(name); },
         .reach = Figure::Reach::kAtLeast,
         .bound = 3e6});
  }
  return row;
}

// --- 11: the idle card ---

struct Use {
  double cpu_ns = 0;
  double runs = 0;  // times a thread was put on a processor
};

// The sum for all threads of the process except the calling one.
Use UseOfOtherThreads() {
  Use sum;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (entry.path().filename() == std::to_string(::gettid())) continue;
    double cpu_ns = 0, waited_ns = 0, runs = 0;
    if (std::ifstream(entry.path() / "schedstat") >> cpu_ns >> waited_ns >> runs) {
      sum.cpu_ns += cpu_ns;
      sum.runs += runs;
    }
  }
  return sum;
}

std::unique_ptr<engine::Engine> EngineAtRest(State& state, TransportKind transport,
                                             CompletionMode completion) {
  auto card = hwsim::card::RealCard::Create({.profile = {}, .depth = 64, .transport = transport});
  if (!card) {
    state.SkipWithError(card.error().message.c_str());
    return nullptr;
  }
  auto engine = engine::Engine::Create(std::move(*card), {.completion = completion});
  if (!engine) {
    state.SkipWithError(engine.error().message.c_str());
    return nullptr;
  }
  // Idle means after use: a card that was never used could behave differently.
  engine::Operation<hwsim::operations::Null> operation;
  for (int i = 0; i < 100; ++i) (void)(*engine)->Run(operation);
  return std::move(*engine);
}

// An iteration is a second in which nothing is in flight on any card.
void Rest(State& state) {
  std::vector<std::unique_ptr<engine::Engine>> engines;
  for (const TransportKind transport : {TransportKind::kUring, TransportKind::kMemory}) {
    for (const CompletionMode completion :
         {CompletionMode::kInterrupt, CompletionMode::kPolling, CompletionMode::kInline}) {
      engines.push_back(EngineAtRest(state, transport, completion));
      if (engines.back() == nullptr) return;
    }
  }
  // The watchdog looks once more 200 ms after the last request.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const Use before = UseOfOtherThreads();
  for ([[maybe_unused]] auto _ : state) std::this_thread::sleep_for(std::chrono::seconds(1));
  const Use after = UseOfOtherThreads();
  state.counters["cpu_ns"] = after.cpu_ns - before.cpu_ns;
  state.counters["runs"] = after.runs - before.runs;
  state.SetItemsProcessed(state.iterations());
}

CoreRow IdleRow() {
  const auto none = [](std::string what, std::string unit, const std::string& counter) {
    return Figure{.what = std::move(what),
                  .unit = std::move(unit),
                  .value = [=](const Measured& m) { return m.Counter("idle cards", counter); },
                  .reach = Figure::Reach::kAtMost,
                  .bound = 0};
  };
  return {.number = 11,
          .name = "idle card",
          .contenders = {{.name = "idle cards",
                          .run = &Rest,
                          .time = Contender::Time::kReal,
                          .iterations = 2}},
          .figures = {none("processor time of six idle cards over 2 s", "ns", "cpu_ns"),
                      none("wake-ups of six idle cards over 2 s", "", "runs")}};
}

}  // namespace

std::vector<CoreRow> CardRows() { return {VirtualRow(), IdleRow()}; }

}  // namespace tools::bench_core
