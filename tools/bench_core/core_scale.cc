// Rows 9 and 12: many paused jobs, and how the cost grows with the number of objects.
#include <unistd.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <fstream>
#include <vector>

#include "hwsim/base/check.h"
#include "tools/bench_core/core_loops.h"
#include "tools/bench_core/core_path.h"
#include "tools/bench_core/core_rows.h"
#include "waitctx/fibres/stack_pool.h"
#include "waitctx/job.h"

namespace tools::bench_core {
namespace {

using benchmark::State;
using hwsim::rings::TransportKind;
using waitctx::JobStatus;

// --- 9: paused jobs ---

double ResidentBytes() {
  double total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

int PauseUntilStopped(void* args) {
  const bool& stop = **static_cast<const bool**>(args);
  while (!stop) waitctx::PauseJob();
  return 0;
}

// `count` paused jobs. An iteration resumes one of them; they take turns.
void PausedJobs(State& state, size_t count) {
  bool stop = false;
  const bool* const args = &stop;
  std::vector<waitctx::Job*> jobs(count, nullptr);
  std::vector<waitctx::WaitContextRef> contexts(count);
  int result = 0;
  waitctx::CleanupThread();
  const double before = ResidentBytes();
  for (size_t i = 0; i < count; ++i) {
    contexts[i] = waitctx::WaitContext::Create();
    const JobStatus status = waitctx::StartJob(
        jobs[i], contexts[i].get(), result, &PauseUntilStopped, std::as_bytes(std::span(&args, 1)));
    if (status != JobStatus::kPaused) return state.SkipWithError(waitctx::LastJobError());
  }
  state.counters["resident_bytes"] = (ResidentBytes() - before) / static_cast<double>(count);
  size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    (void)waitctx::ResumeJob(jobs[next], result);
    if (++next == count) next = 0;
  }
  stop = true;
  for (waitctx::Job*& job : jobs) (void)waitctx::ResumeJob(job, result);
  waitctx::CleanupThread();
  state.SetItemsProcessed(state.iterations());
}

// Bare switches on stacks like those of jobs. They show how much of the cost of many jobs is the
// cost of touching that much memory.
void BareFibers(State& state, size_t count) {
  using boost::context::detail::fcontext_t;
  using boost::context::detail::jump_fcontext;
  using boost::context::detail::transfer_t;
  waitctx::fibres::StackPool pool({});
  std::vector<waitctx::fibres::Stack> stacks;
  std::vector<fcontext_t> fibers;
  while (fibers.size() < count) {
    const std::optional<waitctx::fibres::Stack> stack = pool.Allocate();
    if (!stack) return state.SkipWithError("no stack");
    stacks.push_back(*stack);
    fibers.push_back(boost::context::detail::make_fcontext(
        stack->bottom + stack->size, stack->size, [](transfer_t from) {
          for (;;) from = jump_fcontext(from.fctx, nullptr);
        }));
  }
  for (fcontext_t& fiber : fibers) fiber = jump_fcontext(fiber, nullptr).fctx;
  size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    fibers[next] = jump_fcontext(fibers[next], nullptr).fctx;
    if (++next == count) next = 0;
  }
  for (const waitctx::fibres::Stack& stack : stacks) pool.Free(stack.bottom);
  state.SetItemsProcessed(state.iterations());
}

// The throughput of `many` divided by that of `few`.
Figure Kept(std::string what, const std::string& many, const std::string& few) {
  Figure kept = TimesFaster(many, few, 0.8);
  kept.what = std::move(what);
  return kept;
}

CoreRow PausedRow() {
  const std::string few = "1,000 paused jobs", many = "100,000 paused jobs";
  const std::string few_bare = "1,000 bare fibers", many_bare = "100,000 bare fibers";
  const auto contender = [](const std::string& name, auto run, size_t count) {
    return Contender{
        .name = name, .run = [=](State& state) { run(state, count); }, .iterations = 500'000};
  };
  Figure bare = Kept("switches with 100,000 bare fibers, in those with 1,000", many_bare, few_bare);
  Figure beside_bare = TimesAsLong(many, many_bare, 0);
  bare.reach = beside_bare.reach = Figure::Reach::kNone;
  return {
      .number = 9,
      .name = "paused jobs",
      .contenders = {contender(few, &PausedJobs, 1'000), contender(many, &PausedJobs, 100'000),
                     contender(few_bare, &BareFibers, 1'000),
                     contender(many_bare, &BareFibers, 100'000)},
      .figures = {{.what = "resident, each of 100,000 paused jobs",
                   .unit = "bytes",
                   .value = [=](const Measured& m) { return m.Counter(many, "resident_bytes"); },
                   .reach = Figure::Reach::kAtMost,
                   .bound = 8192},
                  Kept("switches with 100,000 paused jobs, in those with 1,000", many, few),
                  bare,
                  beside_bare}};
}

// --- 12: cost by number of objects ---

// Small, so that the cost of the varied number is visible.
constexpr uint32_t kAtATime = 64;

// A fixed number when the setup is expensive: otherwise Google Benchmark repeats the setup to find
// the number of iterations.
uint64_t Iterations(uint32_t count) { return count < 10'000 ? 0 : 4 * uint64_t{count}; }

Contender OfPath(const std::string& what, uint32_t count, PathOptions options) {
  return {.name = what + " " + std::to_string(count),
          .run = [=](State& state) { PathLoop(state, options); },
          .time = Contender::Time::kReal,
          .iterations = Iterations(count)};
}

Contender OfTransport(const std::string& what, uint32_t count, LoopOptions options) {
  return {.name = what + " " + std::to_string(count),
          .run = [=](State& state) { CardLoop(state, options); },
          .time = Contender::Time::kReal,
          .iterations = Iterations(count)};
}

CoreRow CostRow(std::string name) { return {.number = 12, .name = "cost by " + std::move(name)}; }

CoreRow Finished(CoreRow row) {
  for (const Contender& contender : row.contenders) row.figures.push_back(NsOf(contender.name));
  return row;
}

std::vector<CoreRow> CostRows() {
  CoreRow contexts = CostRow("contexts");
  CoreRow jobs = CostRow("paused jobs");
  for (const uint32_t count : {64U, 1'000U, 10'000U, 100'000U}) {
    contexts.contenders.push_back(
        OfPath("contexts", count, {.in_flight = kAtATime, .contexts = count}));
    jobs.contenders.push_back(
        OfPath("jobs", count,
               {.in_flight = kAtATime, .contexts = kAtATime, .other_jobs = count - kAtATime}));
  }
  CoreRow pairs = CostRow("queue pairs");
  for (const uint32_t count : {1U, 4U, 16U, 64U}) {
    pairs.contenders.push_back(
        OfPath("memory queue pairs", count,
               {.in_flight = kAtATime, .contexts = kAtATime, .queue_pairs = count}));
    pairs.contenders.push_back(OfPath("uring queue pairs", count,
                                      {.transport = TransportKind::kUring,
                                       .in_flight = kAtATime,
                                       .contexts = kAtATime,
                                       .queue_pairs = count}));
  }
  CoreRow in_flight = CostRow("in flight");
  constexpr uint32_t kDepthMax = 32768;
  for (const uint32_t count : {1U, 10U, 100U, 1'000U, 10'000U, 100'000U}) {
    const uint32_t queue_pairs = (count + kDepthMax - 1) / kDepthMax;
    LoopOptions options{.in_flight = count, .queue_pairs = queue_pairs};
    in_flight.contenders.push_back(OfTransport("memory in flight", count, options));
    options.transport = TransportKind::kUring;
    in_flight.contenders.push_back(OfTransport("uring in flight", count, options));
    in_flight.contenders.push_back(
        OfPath("path in flight", count,
               {.in_flight = count, .contexts = count, .queue_pairs = queue_pairs}));
  }
  CoreRow costs_of_jobs = Finished(std::move(jobs));
  costs_of_jobs.figures.push_back(
      Kept("requests with 100,000 jobs, in those with 1,000", "jobs 100000", "jobs 1000"));
  return {Finished(std::move(contexts)), std::move(costs_of_jobs), Finished(std::move(pairs)),
          Finished(std::move(in_flight))};
}

}  // namespace

std::vector<CoreRow> ScaleRows() {
  std::vector<CoreRow> rows = CostRows();
  rows.push_back(PausedRow());
  return rows;
}

}  // namespace tools::bench_core
