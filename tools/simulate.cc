#include "tools/simulate.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <sstream>
#include <vector>

#include "engine/operation.h"
#include "hwsim/rare.h"
#include "tools/run_log.h"
#include "tools/run_process.h"
#include "tools/swarm.h"

namespace tools {

namespace {

using Clock = std::chrono::steady_clock;

// What the workers share: which seed is next, by its place in the range.
struct Shared {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
};

class SharedMemory {
 public:
  SharedMemory()
      : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
    if (memory_ != MAP_FAILED) new (memory_) Shared;
  }
  ~SharedMemory() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, sizeof(Shared));
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Shared* get() const { return memory_ == MAP_FAILED ? nullptr : static_cast<Shared*>(memory_); }

 private:
  void* const memory_;
};

// The worker's lines:
//   begin SEED
//   failed VERDICT WHAT      of the seed that was begun; nothing comes after it
//   end HASH
//   count N NAME             at the end, one for each
//   done
void SayFailed(const RunReporter& reporter, Verdict verdict, const std::string& what) {
  reporter.Say(fmt::format("failed {} {}", static_cast<int>(verdict), what));
  std::_Exit(0);
}

// Runs the scenario; does not return when it fails.
hwsim::Expected<ScenarioResult> RunWatched(const ScenarioOptions& scenario,
                                           const RunReporter& reporter, EventLog& log,
                                           RunLogFile* file) {
  const auto failed = [&](Verdict verdict, const std::string& what) {
    if (file != nullptr) file->Failed(what);
    SayFailed(reporter, verdict, what);
  };
  return RunScenario(scenario,
                     {.log = &log,
                      .on_broken = [&](const std::string& rule) { failed(Verdict::kBroken, rule); },
                      .on_stuck =
                          [&] {
                            failed(Verdict::kStuck,
                                   fmt::format("not everything had ended {} ms after the {}",
                                               scenario.patience / std::chrono::milliseconds(1),
                                               scenario.faults_end ? "faults" : "start"));
                          }});
}

using Counts = std::map<std::string, uint64_t>;

void Add(const ScenarioResult& result, const EventLog& log, Counts& counts) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(engine::Outcome::kBusy); ++i) {
    const std::string name(engine::OutcomeName(static_cast<engine::Outcome>(i)));
    counts[name] += result.count(name);
    counts["operations"] += result.count(name);
  }
  counts["events"] += log.count();
  for (size_t i = 0; i < result.faults.size(); ++i) {
    if (result.faults[i] == 0) continue;
    const auto kind = static_cast<hwsim::FaultKind>(i);
    counts[fmt::format("fault {}", hwsim::FaultName(kind))] += result.faults[i];
  }
}

void RunSeed(uint64_t seed, const std::string& log_path, const RunReporter& reporter,
             Counts& counts) {
  const ScenarioOptions scenario = DrawScenario(seed);
  EventLog log(false);
  std::unique_ptr<RunLogFile> file;
  if (!log_path.empty()) {
    auto opened = RunLogFile::Create(log_path, seed, scenario);
    if (!opened) SayFailed(reporter, Verdict::kGood, opened.error().message);
    file = std::move(*opened);
    log.on_event = [&](const Event& event) { file->Append(event); };
  }
  const auto result = RunWatched(scenario, reporter, log, file.get());
  // A card that does not come up for want of instances is no failure: nothing ran on it.
  if (result) Add(*result, log, counts);
  if (!result) ++counts["cards that did not come up"];
  if (file != nullptr) file->Ended(log.hash());
  if (file != nullptr && file->incomplete()) {
    SayFailed(reporter, Verdict::kGood, log_path + ": cannot be written to its end");
  }
  reporter.Say(fmt::format("end {}", log.hash()));
}

void Work(const SimulateOptions& options, Shared& shared, const RunReporter& reporter) {
  Counts counts;
  // What the parent had reached is not ours. Below zero it comes back with the sum.
  for (const hwsim::RareMark& mark : hwsim::RareMarks()) {
    counts[fmt::format("reached {}", mark.name)] -= mark.reached.load(std::memory_order_relaxed);
  }
  const SeedRange& seeds = options.seeds;
  const uint64_t total = seeds.count();
  while (!shared.stop.load(std::memory_order_relaxed)) {
    const uint64_t place = shared.next.fetch_add(1, std::memory_order_relaxed);
    if (place >= total) break;
    const uint64_t seed = seeds.first + seeds.shard + place * seeds.shards;
    reporter.Say(fmt::format("begin {}", seed));
    RunSeed(seed, options.log, reporter, counts);
  }
  for (const hwsim::RareMark& mark : hwsim::RareMarks()) {
    counts[fmt::format("reached {}", mark.name)] += mark.reached.load(std::memory_order_relaxed);
  }
  for (const auto& [name, count] : counts) reporter.Say(fmt::format("count {} {}", count, name));
  reporter.Say("done");
}

// One worker, as its parent sees it.
struct Worker {
  std::unique_ptr<RunProcess> process;
  uint64_t seed = 0;
  bool busy = false;  // with that seed
  bool done = false;
  Clock::time_point begun{};
};

class Sweep {
 public:
  explicit Sweep(const SimulateOptions& options) : options_(options) {}

  hwsim::Expected<SimulateReport> Run() {
    Shared* const shared = memory_.get();
    if (shared == nullptr) return hwsim::Unexpected("no memory to share with the workers");
    for (uint32_t i = 0; i < options_.workers; ++i) {
      auto process = RunProcess::Start(
          [&](const RunReporter& reporter) { Work(options_, *shared, reporter); });
      if (!process) return hwsim::Unexpected(std::move(process.error()));
      workers_.push_back({.process = std::move(*process)});
    }
    while (!workers_.empty()) {
      WaitForLines();
      for (Worker& worker : workers_) Serve(worker);
      std::erase_if(workers_, [](const Worker& worker) { return worker.process == nullptr; });
      if (options_.progress) options_.progress(report_.seeds);
    }
    if (!error_.empty()) return hwsim::Unexpected(error_);
    return std::move(report_);
  }

 private:
  void WaitForLines() {
    polled_.clear();
    for (const Worker& worker : workers_) {
      polled_.push_back({.fd = worker.process->fd(), .events = POLLIN, .revents = 0});
    }
    ::poll(polled_.data(), polled_.size(), 1000);
  }

  void Serve(Worker& worker) {
    pollfd entry{.fd = worker.process->fd(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) == 0) {
      if (worker.busy && Clock::now() - worker.begun > kSeedTimeMax) {
        worker.process->Kill();
        Fail(worker, Verdict::kStuck,
             fmt::format("still running after {} s of real time", kSeedTimeMax.count()));
      }
      return;
    }
    bool ended = false;
    for (const std::string& line : worker.process->TakeLines(ended)) Take(worker, line);
    if (!ended) return;
    const std::string how = worker.process->Wait();
    if (worker.busy) Fail(worker, Verdict::kCrashed, how.empty() ? "it ended itself" : how);
    if (!worker.busy && !worker.done && error_.empty() && !report_.failure) {
      error_ = "a worker ended: " + how;
    }
    worker.process.reset();
  }

  void Take(Worker& worker, const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "begin") {
      words >> worker.seed;
      worker.busy = true;
      worker.begun = Clock::now();
    } else if (word == "end") {
      uint64_t hash = 0;
      words >> hash;
      // A sum, as they come in any order; of the seed too, so that no two of them cancel out.
      report_.hash += options_.seeds.count() == 1 ? hash : hash * (2 * worker.seed + 1);
      ++report_.seeds;
      worker.busy = false;
    } else if (word == "failed") {
      int verdict = 0;
      words >> verdict;
      std::string what;
      std::getline(words >> std::ws, what);
      if (static_cast<Verdict>(verdict) == Verdict::kGood) {
        error_ = what;
        worker.busy = false;
      } else {
        Fail(worker, static_cast<Verdict>(verdict), what);
      }
    } else if (word == "count") {
      uint64_t count = 0;
      std::string name;
      words >> count;
      std::getline(words >> std::ws, name);
      report_.counts[name] += count;
    } else if (word == "done") {
      worker.done = true;
    }
  }

  void Fail(Worker& worker, Verdict verdict, const std::string& what) {
    worker.busy = false;
    // Seeds are begun in order, so that all before this one are run; the first of those counts.
    memory_.get()->stop.store(true, std::memory_order_relaxed);
    if (report_.failure && report_.failure->seed < worker.seed) return;
    report_.failure = {.seed = worker.seed, .verdict = verdict, .what = what};
  }

  const SimulateOptions& options_;
  const SharedMemory memory_;
  std::vector<Worker> workers_;
  std::vector<pollfd> polled_;
  SimulateReport report_;
  std::string error_;
};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  static constexpr std::array<std::string_view, 4> kNames = {"good", "broken invariant",
                                                             "no progress", "crash"};
  return kNames[static_cast<size_t>(verdict)];
}

hwsim::Expected<SimulateReport> RunSimulate(const SimulateOptions& options) {
  return Sweep(options).Run();
}

namespace {

// The trial's lines: failed as above, and
//   event AT NUMBER PLACE KIND DETAIL
//   good
//   unable WHY
void Try(const ScenarioOptions& options, bool with_events, const RunReporter& reporter) {
  EventLog log(false);
  if (with_events) {
    log.on_event = [&](const Event& event) {
      reporter.Say(fmt::format("event {} {} {} {} {}", event.at.time_since_epoch().count(),
                               event.number, event.index, static_cast<int>(event.kind),
                               static_cast<int>(event.detail)));
    };
  }
  const auto result = RunWatched(options, reporter, log, nullptr);
  reporter.Say(result ? fmt::format("good {}", log.hash()) : "unable " + result.error().message);
}

// Takes a line of it. False: the scenario could not be run.
bool TakeTrialLine(const std::string& line, ScenarioTrial& trial) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "event") {
    int64_t at = 0;
    int kind = 0;
    int detail = 0;
    Event event;
    words >> at >> event.number >> event.index >> kind >> detail;
    event.at = hwsim::TimePoint(hwsim::Duration(at));
    event.kind = static_cast<EventKind>(kind);
    event.detail = static_cast<uint8_t>(detail);
    trial.events.push_back(event);
    return true;
  }
  if (word == "good") {
    trial.verdict = Verdict::kGood;
    words >> trial.hash;
    return true;
  }
  if (word == "failed") {
    int verdict = 0;
    words >> verdict;
    trial.verdict = static_cast<Verdict>(verdict);
  }
  std::getline(words >> std::ws, trial.what);
  return word != "unable";
}

}  // namespace

hwsim::Expected<ScenarioTrial> TryScenario(const ScenarioOptions& options, bool with_events) {
  auto process =
      RunProcess::Start([&](const RunReporter& reporter) { Try(options, with_events, reporter); });
  if (!process) return hwsim::Unexpected(std::move(process.error()));
  ScenarioTrial trial{.verdict = Verdict::kCrashed};
  const auto limit = Clock::now() + kSeedTimeMax;
  bool able = true;
  for (bool ended = false; !ended;) {
    if (Clock::now() > limit) {
      trial.verdict = Verdict::kStuck;
      trial.what = fmt::format("still running after {} s of real time", kSeedTimeMax.count());
      return trial;
    }
    pollfd entry{.fd = (*process)->fd(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 1000) == 0) continue;
    for (const std::string& line : (*process)->TakeLines(ended)) {
      able = TakeTrialLine(line, trial) && able;
    }
  }
  const std::string how = (*process)->Wait();
  if (!able) return hwsim::Unexpected(trial.what);
  if (trial.verdict == Verdict::kCrashed || !how.empty()) {
    trial.verdict = Verdict::kCrashed;
    trial.what = how;
  }
  return trial;
}

}  // namespace tools
