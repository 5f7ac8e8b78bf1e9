// The same random calls to OpenSSL's ASYNC_* and to ours: every answer, every output, every
// buffer left alone and every cleanup must be the same.
//
// A sequence is made from its seed and run once against each library, each run writing a trace;
// traces are compared. Calls that OpenSSL crashes on are left out. A difference prints both
// traces up to it and the line that replays it:
//
//   GHOSTCARD_SEED=<seed> GHOSTCARD_SEQUENCES=1 bazel-bin/tests/waitctx/c_api/differential_test
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tools/bench_core/async_functions.h"
#include "waitctx/base/sanitizers.h"

namespace waitctx::c_api {
namespace {

// The sanitizers do not support OpenSSL's fibres, and report its switches as errors.
constexpr bool kWithJobs = !kThreadSanitizer && !kAddressSanitizer;
constexpr uint64_t kSequences = kWithJobs ? 100'000 : 20'000;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 0);
}

// splitmix64: the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  int Below(int limit) { return static_cast<int>(Next() % static_cast<uint64_t>(limit)); }

 private:
  uint64_t state_;
};

struct Event {
  const char* what;
  std::array<int64_t, 6> values;
  bool operator==(const Event& other) const {
    return std::string_view(what) == other.what && values == other.values;
  }
};

constexpr int kContexts = 3;
constexpr int kJobs = 3;
constexpr int kKeys = 4;
constexpr int kMaxFds = 64;
constexpr int64_t kUntouched = -777;

int CallbackA(void*) { return 1; }
int CallbackB(void*) { return 2; }

// One run of one sequence against one library.
class Interpreter {
 public:
  Interpreter(const tools::bench_core::AsyncFunctions& functions, uint64_t seed)
      : f_(functions), random_(seed) {}

  std::vector<Event> Execute() {
    for (int steps = 8 + random_.Below(40); steps > 0; --steps) Step(/*in_job=*/-1);
    WindUp();
    return std::move(trace_);
  }

 private:
  struct Slot {
    ASYNC_WAIT_CTX* context = nullptr;
    int paused = 0;  // paused jobs that use it: it must not be freed before they end
  };
  struct JobSlot {
    ASYNC_JOB* job = nullptr;
    ASYNC_JOB* handle_inside = nullptr;
    int context = -1;
    int result = 0;
    int steps_left = 0;
  };
  struct Args {
    Interpreter* run;
    int job;
    unsigned char rest[48];  // shows that all of it was copied
  };

  void Note(const char* what, int64_t a = 0, int64_t b = 0, int64_t c = 0, int64_t d = 0,
            int64_t e = 0, int64_t f = 0) {
    trace_.push_back({what, {a, b, c, d, e, f}});
  }

  const void* Key(int number) { return number == 0 ? nullptr : &keys_[number]; }
  int64_t ContextNumber(const ASYNC_WAIT_CTX* context) const {
    if (context == nullptr) return -1;
    for (int i = 0; i < kContexts; ++i) {
      if (contexts_[i].context == context || closing_ == context)
        return closing_ == context ? 99 : i;
    }
    return -2;
  }

  static void Cleanup(ASYNC_WAIT_CTX* context, const void* key, int fd, void* data) {
    Interpreter* run = static_cast<Interpreter*>(data);
    const int64_t number = key == nullptr ? 0 : static_cast<const char*>(key) - run->keys_.data();
    run->Note("cleanup", run->ContextNumber(context), number, fd);
  }

  // Calls on wait contexts; allowed inside a job and outside.
  void ContextStep() {
    const int which = random_.Below(kContexts);
    ASYNC_WAIT_CTX* context = contexts_[which].context;
    if (context == nullptr) {
      contexts_[which].context = context = f_.WAIT_CTX_new();
      Note("new", which, context != nullptr);
    }
    const int key = random_.Below(kKeys);
    switch (random_.Below(12)) {
      case 0:
      case 1:
      case 2: {
        if (fds_set_ >= kMaxFds) break;
        ++fds_set_;
        const int fd = random_.Below(12) - 1;
        const bool cleanup = random_.Below(3) != 0;
        Note("set_wait_fd", which, key, fd, cleanup,
             f_.WAIT_CTX_set_wait_fd(context, Key(key), fd, this, cleanup ? &Cleanup : nullptr));
        break;
      }
      case 3: {
        int fd = kUntouched;
        void* data = &fd;
        const int answer = f_.WAIT_CTX_get_fd(context, Key(key), &fd, &data);
        Note("get_fd", which, key, answer, fd, data == &fd ? 0 : data == this ? 1 : 2);
        break;
      }
      case 4:
      case 5:
        Note("clear_fd", which, key, f_.WAIT_CTX_clear_fd(context, Key(key)));
        break;
      case 6:
        GetAll(which, random_.Below(4) != 0);
        break;
      case 7:
      case 8:
        GetChanged(which, random_.Below(4) != 0, random_.Below(4) != 0);
        break;
      case 9: {
        const int choice = random_.Below(3);
        const ASYNC_callback_fn callback = choice == 0   ? nullptr
                                           : choice == 1 ? &CallbackA
                                                         : &CallbackB;
        Note("set_callback", which, choice,
             f_.WAIT_CTX_set_callback(context, callback, &keys_[key]));
        break;
      }
      case 10: {
        ASYNC_callback_fn callback = nullptr;
        void* argument = this;
        const int answer = f_.WAIT_CTX_get_callback(context, &callback, &argument);
        Note("get_callback", which, answer,
             callback == nullptr      ? 0
             : callback == &CallbackA ? 1
                                      : 2,
             argument == this ? -1 : static_cast<char*>(argument) - keys_.data());
        break;
      }
      default:
        if (random_.Below(2) == 0) {
          const int status = random_.Below(7) - 2;
          Note("set_status", which, status, f_.WAIT_CTX_set_status(context, status));
        }
        Note("get_status", which, f_.WAIT_CTX_get_status(context));
    }
  }

  void NoteFds(const char* what, const std::array<int, kMaxFds + 1>& fds) {
    for (int i = 0; i <= kMaxFds; ++i) {
      if (fds[i] != kUntouched) Note(what, i, fds[i]);
    }
  }

  void GetAll(int which, bool buffer) {
    std::array<int, kMaxFds + 1> fds;
    fds.fill(kUntouched);
    size_t count = 9999;
    const int answer =
        f_.WAIT_CTX_get_all_fds(contexts_[which].context, buffer ? fds.data() : nullptr, &count);
    Note("get_all_fds", which, buffer, answer, static_cast<int64_t>(count));
    NoteFds("fd", fds);
  }

  void GetChanged(int which, bool with_added, bool with_removed) {
    std::array<int, kMaxFds + 1> added, removed;
    added.fill(kUntouched);
    removed.fill(kUntouched);
    size_t adds = 9999, removes = 9999;
    const int answer =
        f_.WAIT_CTX_get_changed_fds(contexts_[which].context, with_added ? added.data() : nullptr,
                                    &adds, with_removed ? removed.data() : nullptr, &removes);
    Note("get_changed_fds", which, with_added, with_removed, answer, static_cast<int64_t>(adds),
         static_cast<int64_t>(removes));
    NoteFds("added", added);
    NoteFds("removed", removed);
  }

  void Step(int in_job) {
    const int dice = random_.Below(20);
    if (dice < 9 || !kWithJobs) {
      if (dice == 0 && in_job < 0) return Free(random_.Below(kContexts));
      return ContextStep();
    }
    if (in_job >= 0) return JobStep(in_job, dice);
    switch (dice) {
      case 9:
        return Pool();
      case 10:
        // No effect outside a job.
        f_.block_pause();
        Note("pause outside", f_.pause_job(), f_.get_current_job() == nullptr);
        f_.unblock_pause();
        return;
      default:
        return StartOrResume(random_.Below(kJobs));
    }
  }

  void Free(int which) {
    Slot& slot = contexts_[which];
    if (slot.paused != 0) return;
    Note("free", which);
    closing_ = slot.context;
    f_.WAIT_CTX_free(slot.context);
    closing_ = nullptr;
    slot.context = nullptr;
  }

  bool AnyPaused() const {
    for (const JobSlot& job : jobs_) {
      if (job.job != nullptr) return true;
    }
    return false;
  }

  // OpenSSL leaks on a second pool, and on a cleanup while jobs of the pool are paused.
  void Pool() {
    const auto max_size = static_cast<size_t>(random_.Below(4));
    const auto init_size = static_cast<size_t>(random_.Below(4));
    if (init_size > max_size) {
      Note("init_thread", static_cast<int64_t>(max_size), static_cast<int64_t>(init_size),
           f_.init_thread(max_size, init_size));
      return;
    }
    if (AnyPaused()) return;
    f_.cleanup_thread();
    if (random_.Below(4) == 0) f_.cleanup_thread();
    if (random_.Below(4) == 0) return Note("cleanup_thread");
    Note("init_thread", static_cast<int64_t>(max_size), static_cast<int64_t>(init_size),
         f_.init_thread(max_size, init_size));
  }

  void StartOrResume(int number) {
    JobSlot& job = jobs_[number];
    Args args{this, number, {}};
    for (unsigned char& byte : args.rest) byte = static_cast<unsigned char>(&byte - args.rest);
    const bool starts = job.job == nullptr;
    if (starts) {
      job.context = random_.Below(kContexts);
      Slot& slot = contexts_[job.context];
      if (slot.context == nullptr) slot.context = f_.WAIT_CTX_new();
      job.steps_left = random_.Below(12);
      job.result = random_.Below(9) - 4;
    }
    int result = static_cast<int>(kUntouched);
    const int context = job.context;
    int answer;
    if (starts && random_.Below(8) == 0) {
      answer = StartWithoutArgs(job, &result);
    } else {
      // On resuming all but the handle is ignored.
      const bool garbage = !starts && random_.Below(2) == 0;
      running_ = number;
      answer = f_.start_job(&job.job, garbage ? nullptr : contexts_[context].context, &result,
                            garbage ? nullptr : &JobMain, garbage ? nullptr : &args,
                            garbage ? 3 : sizeof(args));
    }
    if (starts && answer == ASYNC_PAUSE) ++contexts_[context].paused;
    if (!starts && answer == ASYNC_FINISH) --contexts_[context].paused;
    Note("start_job", number, starts, answer, result, job.job != nullptr,
         answer != ASYNC_PAUSE || job.job == job.handle_inside);
  }

  // NULL of some size, and something of size 0, both give the function NULL.
  int StartWithoutArgs(JobSlot& job, int* result) {
    static int (*const function)(void*) = [](void* args) { return args == nullptr ? 11 : 12; };
    char something = 1;
    const bool null = random_.Below(2) == 0;
    return f_.start_job(&job.job, contexts_[job.context].context, result, function,
                        null ? nullptr : &something, null ? 5 : 0);
  }

  static int JobMain(void* argument) {
    const Args& args = *static_cast<Args*>(argument);
    bool whole = true;
    for (const unsigned char& byte : args.rest) {
      whole &= byte == static_cast<unsigned char>(&byte - args.rest);
    }
    Interpreter& run = *args.run;
    const int number = args.job;
    run.Note("job begins", number, whole, reinterpret_cast<uintptr_t>(argument) % 16 == 0);
    JobSlot& job = run.jobs_[number];
    job.handle_inside = run.f_.get_current_job();
    run.Note("wait ctx", number,
             run.ContextNumber(run.f_.get_wait_ctx(job.handle_inside)) == job.context);
    while (job.steps_left-- > 0) run.Step(number);
    run.Note("job ends", number, job.result);
    return job.result;
  }

  void JobStep(int number, int dice) {
    switch (dice) {
      case 9: {
        // Blocked for a while; never at the end, for OpenSSL then stays blocked.
        const int blocks = 1 + random_.Below(2);
        for (int i = 0; i < blocks; ++i) f_.block_pause();
        Note("pause blocked", number, f_.pause_job());
        ContextStep();
        for (int i = 0; i < blocks + random_.Below(2); ++i) f_.unblock_pause();
        return;
      }
      case 10:
        f_.unblock_pause();
        Note("unblock", number);
        return;
      case 11:
        Note("inside", number, f_.is_capable(),
             f_.get_current_job() == jobs_[number].handle_inside);
        return;
      case 12:
      case 13:
      case 14:
        return ContextStep();
      default: {
        // An engine sets its fd and pauses.
        ContextStep();
        const int answer = f_.pause_job();
        Note("resumed", number, answer, f_.get_current_job() == jobs_[number].handle_inside);
        GetChanged(jobs_[number].context, true, true);
      }
    }
  }

  void WindUp() {
    for (int number = 0; number < kJobs; ++number) {
      while (jobs_[number].job != nullptr) StartOrResume(number);
    }
    for (int which = 0; which < kContexts; ++which) {
      if (contexts_[which].context != nullptr) {
        GetAll(which, true);
        GetChanged(which, true, true);
      }
      Free(which);
    }
    if (kWithJobs) f_.cleanup_thread();
  }

  const tools::bench_core::AsyncFunctions& f_;
  Random random_;
  std::vector<Event> trace_;
  std::array<Slot, kContexts> contexts_;
  std::array<JobSlot, kJobs> jobs_;
  std::array<char, kKeys> keys_{};
  ASYNC_WAIT_CTX* closing_ = nullptr;
  int fds_set_ = 0;
  int running_ = -1;
};

std::string Print(const std::vector<Event>& trace, size_t last) {
  std::string text;
  for (size_t i = 0; i < trace.size() && i <= last; ++i) {
    text += (i == last ? "> " : "  ") + std::string(trace[i].what);
    for (int64_t value : trace[i].values) text += " " + std::to_string(value);
    text += "\n";
  }
  return text;
}

TEST(DifferentialTest, RandomCallsAnswerAsOpenSslDoes) {
  const tools::bench_core::AsyncFunctions ours =
      tools::bench_core::LoadAsyncFunctions(tools::bench_core::kOurLibrary);
  const tools::bench_core::AsyncFunctions theirs =
      tools::bench_core::LoadAsyncFunctions(tools::bench_core::kOpenSslLibrary);
  ASSERT_TRUE(ours.loaded);
  if (!theirs.loaded)
    GTEST_SKIP() << "no " << tools::bench_core::kOpenSslLibrary << " to compare with";

  const uint64_t first = FromEnvironment("GHOSTCARD_SEED", 1);
  const uint64_t sequences = FromEnvironment("GHOSTCARD_SEQUENCES", kSequences);
  uint64_t events = 0;
  for (uint64_t seed = first; seed < first + sequences; ++seed) {
    const std::vector<Event> expected = Interpreter(theirs, seed).Execute();
    const std::vector<Event> got = Interpreter(ours, seed).Execute();
    events += got.size();
    if (expected == got) continue;
    size_t at = 0;
    while (at < expected.size() && at < got.size() && expected[at] == got[at]) ++at;
    FAIL() << "OpenSSL:\n"
           << Print(expected, at) << "ours:\n"
           << Print(got, at) << "replay: GHOSTCARD_SEED=" << seed
           << " GHOSTCARD_SEQUENCES=1 bazel test --test_env=GHOSTCARD_SEED"
           << " --test_env=GHOSTCARD_SEQUENCES //tests/waitctx/c_api:differential_test";
  }
  std::printf("%llu sequences, %llu compared events\n", static_cast<unsigned long long>(sequences),
              static_cast<unsigned long long>(events));
}

}  // namespace
}  // namespace waitctx::c_api
