// What the wait layer costs, beside what it replaces.
//
//   Switch/<who>     one resume and one pause of a job
//   Job/<who>        start and finish of a job from the pool
//   Context/<who>    new and free of a wait context
//   SetClear/<who>   set_wait_fd and clear_fd of one fd
//   GetFd/<who>, GetAllFds/<who>   on a context with two fds
//   Callback/<who>   set_callback; Pin: what a completion thread adds to a callback
//
// <who>: raw is Boost.Context alone, cpp is job.h, ours is libwaitctx_async.so, openssl is
// libcrypto.so.3, the last two through the same table of function pointers.
// Run: bazel run -c opt --config=opt //tests/waitctx:waitctx_benchmark
#include <benchmark/benchmark.h>

#include <boost/context/detail/fcontext.hpp>
#include <memory>

#include "tests/waitctx/async_functions.h"
#include "waitctx/job.h"
#include "waitctx/wait_context.h"

namespace waitctx {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

void SwitchRaw(benchmark::State& state) {
  const auto stack = std::make_unique<std::byte[]>(64 * 1024);
  fcontext_t inside = make_fcontext(stack.get() + 64 * 1024, 64 * 1024, [](transfer_t from) {
    for (;;) from = jump_fcontext(from.fctx, nullptr);
  });
  for (auto _ : state) inside = jump_fcontext(inside, nullptr).fctx;
}
BENCHMARK(SwitchRaw)->Name("Switch/raw");

bool g_stop = false;

int PauseUntilStopped(void*) {
  while (!g_stop) PauseJob();
  return 0;
}

void SwitchCpp(benchmark::State& state) {
  g_stop = false;
  const WaitContextRef context = WaitContext::Create();
  Job* job = nullptr;
  int result = 0;
  (void)StartJob(job, context.get(), result, &PauseUntilStopped, {});
  for (auto _ : state) (void)ResumeJob(job, result);
  g_stop = true;
  (void)ResumeJob(job, result);
}
BENCHMARK(SwitchCpp)->Name("Switch/cpp");

int PauseUntilStoppedC(void* args) {
  const AsyncFunctions& f = **static_cast<const AsyncFunctions**>(args);
  while (!g_stop) f.pause_job();
  return 0;
}

void Switch(benchmark::State& state, const AsyncFunctions& f) {
  g_stop = false;
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  ASYNC_JOB* job = nullptr;
  int result = 0;
  const AsyncFunctions* args = &f;
  f.start_job(&job, context, &result, &PauseUntilStoppedC, &args, sizeof(args));
  for (auto _ : state) f.start_job(&job, context, &result, nullptr, nullptr, 0);
  g_stop = true;
  f.start_job(&job, context, &result, nullptr, nullptr, 0);
  f.WAIT_CTX_free(context);
}

int Nothing(void*) { return 0; }

void JobCpp(benchmark::State& state) {
  const WaitContextRef context = WaitContext::Create();
  Job* job = nullptr;
  int result = 0;
  const std::byte args[40] = {};
  for (auto _ : state) (void)StartJob(job, context.get(), result, &Nothing, args);
}
BENCHMARK(JobCpp)->Name("Job/cpp");

void StartFinish(benchmark::State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  ASYNC_JOB* job = nullptr;
  int result = 0;
  char args[40] = {};
  for (auto _ : state) f.start_job(&job, context, &result, &Nothing, args, sizeof(args));
  f.WAIT_CTX_free(context);
}

void Context(benchmark::State& state, const AsyncFunctions& f) {
  for (auto _ : state) f.WAIT_CTX_free(f.WAIT_CTX_new());
}

void SetClear(benchmark::State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  for (auto _ : state) {
    f.WAIT_CTX_set_wait_fd(context, &state, 5, nullptr, nullptr);
    f.WAIT_CTX_clear_fd(context, &state);
  }
  f.WAIT_CTX_free(context);
}

void GetFd(benchmark::State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  f.WAIT_CTX_set_wait_fd(context, &state, 5, nullptr, nullptr);
  f.WAIT_CTX_set_wait_fd(context, &f, 6, nullptr, nullptr);
  for (auto _ : state) {
    int fd;
    void* data;
    benchmark::DoNotOptimize(f.WAIT_CTX_get_fd(context, &state, &fd, &data));
  }
  f.WAIT_CTX_free(context);
}

void GetAllFds(benchmark::State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  f.WAIT_CTX_set_wait_fd(context, &state, 5, nullptr, nullptr);
  f.WAIT_CTX_set_wait_fd(context, &f, 6, nullptr, nullptr);
  for (auto _ : state) {
    int fds[2];
    size_t count;
    benchmark::DoNotOptimize(f.WAIT_CTX_get_all_fds(context, fds, &count));
    benchmark::DoNotOptimize(fds);
  }
  f.WAIT_CTX_free(context);
}

void SetCallback(benchmark::State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  for (auto _ : state) f.WAIT_CTX_set_callback(context, &Nothing, &state);
  f.WAIT_CTX_free(context);
}

void Pin(benchmark::State& state) {
  const WaitContextRef context = WaitContext::Create();
  context->SetCallback({&Nothing, nullptr});
  for (auto _ : state) {
    WaitContext::Pin pin(*context);
    benchmark::DoNotOptimize(pin.callback());
  }
}
BENCHMARK(Pin)->Name("Pin");

}  // namespace
}  // namespace waitctx

int main(int argc, char** argv) {
  using waitctx::AsyncFunctions;
  struct Contender {
    std::string name;
    AsyncFunctions functions;
  };
  static const Contender contenders[] = {
      {"ours", waitctx::LoadAsyncFunctions(waitctx::kOurLibrary)},
      {"openssl", waitctx::LoadAsyncFunctions(waitctx::kOpenSslLibrary)},
  };
  struct Workload {
    const char* name;
    void (*run)(benchmark::State&, const AsyncFunctions&);
  };
  static constexpr Workload kWorkloads[] = {
      {"Switch/", &waitctx::Switch},        {"Job/", &waitctx::StartFinish},
      {"Context/", &waitctx::Context},      {"SetClear/", &waitctx::SetClear},
      {"GetFd/", &waitctx::GetFd},          {"GetAllFds/", &waitctx::GetAllFds},
      {"Callback/", &waitctx::SetCallback},
  };
  for (const Workload& workload : kWorkloads) {
    for (const Contender& contender : contenders) {
      if (!contender.functions.loaded) continue;
      benchmark::RegisterBenchmark(
          (workload.name + contender.name).c_str(),
          [&](benchmark::State& state) { workload.run(state, contender.functions); });
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
