#include "tools/bench_core/core_path.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "tools/bench_core/core_loops.h"
#include "tools/bench_core/core_rows.h"
#include "waitctx/job.h"

namespace tools::bench_core {

using benchmark::State;
using hwsim::rings::TransportKind;
using waitctx::JobStatus;

namespace {

// One session of the server: a wait context, and an operation that runs in a job.
struct Session {
  waitctx::WaitContextRef context = waitctx::WaitContext::Create();
  engine::Operation<hwsim::operations::Null> operation;
  engine::Engine* engine = nullptr;
  engine::RunOptions run;
  std::vector<Session*>* ready = nullptr;
  waitctx::Job* job = nullptr;
  bool fd_watched = false;
};

int RunSession(void* args) {
  Session& session = **static_cast<Session**>(args);
  const engine::Outcome outcome = session.engine->Run(session.operation, session.run);
  return outcome == engine::Outcome::kOk ? 0 : 1;
}

int OnReady(void* argument) {
  Session& session = *static_cast<Session*>(argument);
  session.ready->push_back(&session);
  return 0;
}

class Server {
 public:
  Server(engine::Engine& engine, const PathOptions& options)
      : engine_(engine), options_(options), sessions_(options.contexts) {
    epoll_ = hwsim::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    uint32_t turn = 0;
    for (Session& session : sessions_) {
      session.engine = &engine;
      session.run.queue_pair = turn++ % options.queue_pairs;
      session.ready = &ready_;
      at_rest_.push_back(&session);
      if (options.notify == load::Notify::kCallback) {
        session.context->SetCallback({&OnReady, &session});
      }
    }
    for (uint32_t i = 0; i < options.in_flight; ++i) Start();
  }
  ~Server() {
    stopping_ = true;
    while (in_flight_ != 0) Turn();
    for (Session& session : sessions_) session.context->Close();
  }

  // Looks once for completions and resumes the jobs that were notified. Returns how many jobs
  // finished.
  size_t Turn() {
    const size_t before = finished_;
    if (engine_.Poll() == 0) SpinPause();
    if (options_.notify == load::Notify::kFd) CollectReadable();
    std::swap(ready_, telling_);
    for (Session* session : telling_) Resume(*session);
    telling_.clear();
    return finished_ - before;
  }

 private:
  // Starts the session that has been idle the longest.
  void Start() {
    Session& session = *at_rest_.front();
    at_rest_.pop_front();
    Session* const args = &session;
    int result = 0;
    ++in_flight_;
    Look(session, waitctx::StartJob(session.job, session.context.get(), result, &RunSession,
                                    std::as_bytes(std::span(&args, 1))));
  }
  void Resume(Session& session) {
    int result = 0;
    Look(session, waitctx::ResumeJob(session.job, result));
  }
  void Look(Session& session, JobStatus status) {
    if (status == JobStatus::kPaused) {
      if (options_.notify == load::Notify::kFd && !session.fd_watched) Watch(session);
      return;
    }
    GHOSTCARD_CHECK(status == JobStatus::kFinished, waitctx::LastJobError());
    --in_flight_;
    ++finished_;
    at_rest_.push_back(&session);
    if (!stopping_) Start();
  }
  void Watch(Session& session) {
    int fd = -1;
    session.context->CopyWaitFds(std::span(&fd, 1));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &session}};
    GHOSTCARD_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    session.fd_watched = true;
  }
  void CollectReadable() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
      ready_.push_back(static_cast<Session*>(events[static_cast<size_t>(i)].data.ptr));
    }
  }

  engine::Engine& engine_;
  const PathOptions& options_;
  std::deque<Session> sessions_;
  std::vector<Session*> ready_, telling_;
  hwsim::UniqueFd epoll_;
  std::deque<Session*> at_rest_;
  size_t in_flight_ = 0;
  size_t finished_ = 0;
  bool stopping_ = false;
};

int PauseOnce(void*) {
  waitctx::PauseJob();
  return 0;
}

// Jobs that stay paused while other jobs run.
class OtherJobs {
 public:
  explicit OtherJobs(uint32_t count) : jobs_(count) {
    for (waitctx::Job*& job : jobs_) {
      int result = 0;
      const JobStatus status = waitctx::StartJob(job, nullptr, result, &PauseOnce, {});
      GHOSTCARD_CHECK(status == JobStatus::kPaused, waitctx::LastJobError());
    }
  }
  ~OtherJobs() {
    int result = 0;
    for (waitctx::Job*& job : jobs_) (void)waitctx::ResumeJob(job, result);
    waitctx::CleanupThread();
  }
  OtherJobs(const OtherJobs&) = delete;
  OtherJobs& operator=(const OtherJobs&) = delete;

 private:
  std::vector<waitctx::Job*> jobs_;
};

}  // namespace

void PathLoop(State& state, const PathOptions& options) {
  auto card = CardWithoutLatency(state, {.transport = options.transport,
                                         .in_flight = options.in_flight,
                                         .queue_pairs = options.queue_pairs});
  if (card == nullptr) return;
  auto engine = engine::Engine::Create(std::move(card),
                                       {.completion = hwsim::completion::CompletionMode::kInline});
  if (!engine) return state.SkipWithError(engine.error().message.c_str());
  const OtherJobs others(options.other_jobs);
  Server server(**engine, options);
  size_t finished = 0;
  for ([[maybe_unused]] auto _ : state) {
    while (finished == 0) finished = server.Turn();
    --finished;
  }
  state.SetItemsProcessed(state.iterations());
}

namespace {

// The cost of notification by fd alone: `fds` eventfds are written, waited for and read.
void BareEventFds(State& state, size_t fds) {
  const hwsim::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<hwsim::EventFd> lines;
  for (size_t i = 0; i < fds; ++i) {
    auto line = hwsim::EventFd::Create();
    if (!line) return state.SkipWithError(line.error().message.c_str());
    epoll_event event{.events = EPOLLIN, .data = {.fd = line->fd()}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, line->fd(), &event);
    lines.push_back(std::move(*line));
  }
  std::vector<epoll_event> events(fds);
  for ([[maybe_unused]] auto _ : state) {
    for (const hwsim::EventFd& line : lines) line.Signal();
    const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(fds), -1);
    for (int i = 0; i < count; ++i) hwsim::DrainEventFd(events[static_cast<size_t>(i)].data.fd);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(fds));
}

Contender Path(std::string name, PathOptions options) {
  return {.name = std::move(name),
          .run = [=](State& state) { PathLoop(state, options); },
          .time = Contender::Time::kReal};
}

// Submits as jobs do: one request at a time, each with its doorbell.
Contender Alone(std::string name, TransportKind transport) {
  const LoopOptions options{.transport = transport, .handing = Handing::kOneByOne};
  return {.name = std::move(name),
          .run = [=](State& state) { CardLoop(state, options); },
          .time = Contender::Time::kReal};
}

Figure CostsMore(const std::string& path, const std::string& alone, double at_most_ns) {
  return {.what = path + " costs more than " + alone + " by",
          .unit = "ns",
          .value = [=](const Measured& m) { return m.Ns(path) - m.Ns(alone); },
          .reach = Figure::Reach::kAtMost,
          .bound = at_most_ns};
}

Figure InSum(const std::string& path, const std::string& alone, const std::string& telling) {
  return {.what = path + " takes as long as " + alone + " and " + telling,
          .unit = "x",
          .value = [=](const Measured& m) { return m.Ns(path) / (m.Ns(alone) + m.Ns(telling)); },
          .reach = Figure::Reach::kAtMost,
          .bound = 1.15};
}

}  // namespace

std::vector<CoreRow> PathRows() {
  CoreRow callback{
      .number = 7,
      .name = "path callback",
      .contenders = {Path("path memory", {}), Alone("memory alone", TransportKind::kMemory),
                     Path("path uring", {.transport = TransportKind::kUring}),
                     Alone("uring alone", TransportKind::kUring)},
      .figures = {CostsMore("path memory", "memory alone", 80),
                  CostsMore("path uring", "uring alone", 80)}};
  CoreRow fd{
      .number = 8,
      .name = "path fd",
      .contenders = {Path("path memory", {.notify = load::Notify::kFd}),
                     Alone("memory alone", TransportKind::kMemory),
                     Path("path uring",
                          {.transport = TransportKind::kUring, .notify = load::Notify::kFd}),
                     Alone("uring alone", TransportKind::kUring),
                     {.name = "eventfd", .run = [](State& state) { BareEventFds(state, 1); }},
                     {.name = "eventfds by 64",
                      .run = [](State& state) { BareEventFds(state, 64); }}},
      .figures = {InSum("path memory", "memory alone", "eventfd"),
                  InSum("path memory", "memory alone", "eventfds by 64"),
                  InSum("path uring", "uring alone", "eventfd"),
                  InSum("path uring", "uring alone", "eventfds by 64")}};
  return {std::move(callback), std::move(fd)};
}

}  // namespace tools::bench_core
