// Rows 1 to 3: jobs and wait contexts, compared with Boost.Context and libcrypto.
//
// "c api" calls libwaitctx_async.so and "libcrypto" calls libcrypto.so.3, both through a table of
// function pointers. "c++" calls waitctx/job.h.
#include <openssl/crypto.h>

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <filesystem>
#include <memory>

#include "tools/bench_core/async_functions.h"
#include "tools/bench_core/core_rows.h"
#include "waitctx/job.h"
#include "waitctx/wait_context.h"

namespace tools::bench_core {
namespace {

using benchmark::State;
using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;
using tools::bench_core::AsyncFunctions;
using waitctx::WaitContext;
using waitctx::WaitContextRef;

using Use = void (*)(State&, const AsyncFunctions&);

// Bazel puts the library beside this program's own folder.
std::string OurLibrary() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "waitctx/libwaitctx_async.so";
}

Contender Table(std::string name, const std::string& library, Use use) {
  const AsyncFunctions functions = tools::bench_core::LoadAsyncFunctions(library.c_str());
  return {.name = std::move(name), .run = [=](State& state) {
            if (!functions.loaded) return state.SkipWithError(library.c_str());
            use(state, functions);
            state.SetItemsProcessed(state.iterations());
          }};
}
Contender CApi(Use use) { return Table("c api", OurLibrary(), use); }
Contender Libcrypto(Use use) { return Table("libcrypto", tools::bench_core::kOpenSslLibrary, use); }

// --- 1: resume and pause ---

void SwitchFcontext(State& state) {
  constexpr size_t kStackBytes = 64 * 1024;
  const auto stack = std::make_unique<std::byte[]>(kStackBytes);
  fcontext_t inside = make_fcontext(stack.get() + kStackBytes, kStackBytes, [](transfer_t from) {
    for (;;) from = jump_fcontext(from.fctx, nullptr);
  });
  for ([[maybe_unused]] auto _ : state) inside = jump_fcontext(inside, nullptr).fctx;
  state.SetItemsProcessed(state.iterations());
}

void SwitchFiber(State& state) {
  bool stop = false;
  boost::context::fiber inside([&stop](boost::context::fiber&& outside) {
    while (!stop) outside = std::move(outside).resume();
    return std::move(outside);
  });
  for ([[maybe_unused]] auto _ : state) inside = std::move(inside).resume();
  stop = true;
  inside = std::move(inside).resume();
  state.SetItemsProcessed(state.iterations());
}

int PauseUntilStopped(void* args) {
  const bool& stop = **static_cast<const bool**>(args);
  while (!stop) waitctx::PauseJob();
  return 0;
}

void SwitchCpp(State& state) {
  bool stop = false;
  const bool* const args = &stop;
  const WaitContextRef context = WaitContext::Create();
  waitctx::Job* job = nullptr;
  int result = 0;
  (void)waitctx::StartJob(job, context.get(), result, &PauseUntilStopped,
                          std::as_bytes(std::span(&args, 1)));
  for ([[maybe_unused]] auto _ : state) (void)waitctx::ResumeJob(job, result);
  stop = true;
  (void)waitctx::ResumeJob(job, result);
  state.SetItemsProcessed(state.iterations());
}

struct PauseArgs {
  const bool* stop;
  const AsyncFunctions* functions;
};

int PauseUntilStoppedC(void* args) {
  const PauseArgs& pause = *static_cast<const PauseArgs*>(args);
  while (!*pause.stop) pause.functions->pause_job();
  return 0;
}

void SwitchC(State& state, const AsyncFunctions& f) {
  bool stop = false;
  PauseArgs args{&stop, &f};
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  ASYNC_JOB* job = nullptr;
  int result = 0;
  f.start_job(&job, context, &result, &PauseUntilStoppedC, &args, sizeof(args));
  for ([[maybe_unused]] auto _ : state) f.start_job(&job, context, &result, nullptr, nullptr, 0);
  stop = true;
  f.start_job(&job, context, &result, nullptr, nullptr, 0);
  f.WAIT_CTX_free(context);
}

// OpenSSL gives each job a default library context of its own. Without one set, that costs a look
// at the default context before the switch and one after it.
void LibraryContextLooks(State& state) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(OSSL_LIB_CTX_set0_default(nullptr));
    benchmark::DoNotOptimize(OSSL_LIB_CTX_set0_default(nullptr));
  }
  state.SetItemsProcessed(state.iterations());
}

CoreRow SwitchRow() {
  return {
      .number = 1,
      .name = "switch",
      .contenders = {{"c++", &SwitchCpp},
                     CApi(&SwitchC),
                     Libcrypto(&SwitchC),
                     {"boost fiber", &SwitchFiber},
                     {"boost fcontext", &SwitchFcontext},
                     {"library context looks", &LibraryContextLooks}},
      .figures = {TimesFaster("c++", "libcrypto", 6), TimesFaster("c api", "libcrypto", 6),
                  TimesAsLong("c++", "boost fiber", 1.6), TimesAsLong("c api", "boost fiber", 1.6),
                  TimesAsLong("c++", "boost fcontext", 1.6),
                  TimesAsLong("c api", "boost fcontext", 1.6)}};
}

// --- 2: start and finish from the pool ---

int Nothing(void*) { return 0; }

void JobCpp(State& state) {
  const WaitContextRef context = WaitContext::Create();
  waitctx::Job* job = nullptr;
  int result = 0;
  const std::byte args[40] = {};
  for ([[maybe_unused]] auto _ : state)
    (void)waitctx::StartJob(job, context.get(), result, &Nothing, args);
  state.SetItemsProcessed(state.iterations());
}

void JobC(State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  ASYNC_JOB* job = nullptr;
  int result = 0;
  char args[40] = {};
  for ([[maybe_unused]] auto _ : state)
    f.start_job(&job, context, &result, &Nothing, args, sizeof(args));
  f.WAIT_CTX_free(context);
}

CoreRow JobRow() {
  return {.number = 2,
          .name = "job",
          .contenders = {{"c++", &JobCpp}, CApi(&JobC), Libcrypto(&JobC)},
          .figures = {TimesFaster("c++", "libcrypto", 5), TimesFaster("c api", "libcrypto", 5)}};
}

// --- 3: wait contexts ---

void NewFree(State& state, const AsyncFunctions& f) {
  for ([[maybe_unused]] auto _ : state) f.WAIT_CTX_free(f.WAIT_CTX_new());
}

void SetClear(State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  for ([[maybe_unused]] auto _ : state) {
    f.WAIT_CTX_set_wait_fd(context, &state, 5, nullptr, nullptr);
    f.WAIT_CTX_clear_fd(context, &state);
  }
  f.WAIT_CTX_free(context);
}

// A context with two fds, like that of a session with a cipher and a signature under way.
ASYNC_WAIT_CTX* ContextWithTwo(const AsyncFunctions& f, const void* key) {
  ASYNC_WAIT_CTX* context = f.WAIT_CTX_new();
  f.WAIT_CTX_set_wait_fd(context, key, 5, nullptr, nullptr);
  f.WAIT_CTX_set_wait_fd(context, &f, 6, nullptr, nullptr);
  return context;
}

void GetFd(State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = ContextWithTwo(f, &state);
  for ([[maybe_unused]] auto _ : state) {
    int fd = 0;
    void* data = nullptr;
    benchmark::DoNotOptimize(f.WAIT_CTX_get_fd(context, &state, &fd, &data));
    benchmark::DoNotOptimize(fd);
  }
  f.WAIT_CTX_free(context);
}

void GetAllFds(State& state, const AsyncFunctions& f) {
  ASYNC_WAIT_CTX* context = ContextWithTwo(f, &state);
  for ([[maybe_unused]] auto _ : state) {
    int fds[2];
    size_t count = 0;
    benchmark::DoNotOptimize(f.WAIT_CTX_get_all_fds(context, fds, &count));
    benchmark::DoNotOptimize(fds);
  }
  f.WAIT_CTX_free(context);
}

CoreRow ContextRow(const std::string& name, Use use, double at_least) {
  return {.number = 3,
          .name = "context " + name,
          .contenders = {CApi(use), Libcrypto(use)},
          .figures = {TimesFaster("c api", "libcrypto", at_least)}};
}

}  // namespace

std::vector<CoreRow> WaitRows() {
  // Equal, within the noise of the medians.
  constexpr double kEqual = 0.95;
  return {SwitchRow(),
          JobRow(),
          ContextRow("new and free", &NewFree, 2),
          ContextRow("set and clear fd", &SetClear, 2),
          ContextRow("get_fd", &GetFd, kEqual),
          ContextRow("get_all_fds", &GetAllFds, kEqual)};
}

}  // namespace tools::bench_core
