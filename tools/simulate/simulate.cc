#include "tools/simulate/simulate.h"

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
#include <string_view>
#include <vector>

#include "engine/operation.h"
#include "hwsim/base/coverage_mark.h"
#include "hwsim/base/enum_names.h"
#include "hwsim/base/fd.h"
#include "tools/scenario/scenario.h"
#include "tools/simulate/run_log.h"
#include "tools/simulate/swarm.h"
#include "tools/simulate/worker_process.h"

namespace tools::simulate {

namespace {

using Clock = std::chrono::steady_clock;

// Shared by all workers: the index of the next seed in the range.
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

// A worker reports in these lines:
//   begin SEED
//   failed VERDICT WHAT      the seed failed; the worker ends
//   end HASH                 the seed is good
//   count N NAME             at the end, one line for each count
//   done
void SayFailed(const WorkerReporter& reporter, Verdict verdict, const std::string& what) {
  reporter.Report(fmt::format("failed {} {}", static_cast<int>(verdict), what));
  std::_Exit(0);
}

// Runs the scenario. When it fails, reports that and ends the process.
hwsim::Expected<scenario::ScenarioResult> RunWatched(const scenario::ScenarioOptions& scenario,
                                                     const WorkerReporter& reporter,
                                                     scenario::EventLog& log, RunLogFile* file) {
  const auto failed = [&](Verdict verdict, const std::string& what) {
    if (file != nullptr) file->Failed(what);
    SayFailed(reporter, verdict, what);
  };
  return scenario::RunScenario(
      scenario, {.log = &log,
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

void Add(const scenario::ScenarioResult& result, const scenario::EventLog& log, Counts& counts) {
  for (const std::string_view outcome : hwsim::EnumNames<engine::Outcome>::All()) {
    const std::string name(outcome);
    counts[name] += result.count(name);
    counts["operations"] += result.count(name);
  }
  counts["events"] += log.count();
  for (size_t i = 0; i < result.faults.size(); ++i) {
    if (result.faults[i] == 0) continue;
    const auto kind = static_cast<hwsim::faults::FaultKind>(i);
    counts[fmt::format("fault {}", hwsim::faults::FaultName(kind))] += result.faults[i];
  }
}

void RunSeed(uint64_t seed, const std::string& log_path, const WorkerReporter& reporter,
             Counts& counts) {
  const scenario::ScenarioOptions scenario = DrawScenario(seed);
  scenario::EventLog log(false);
  std::unique_ptr<RunLogFile> file;
  if (!log_path.empty()) {
    auto opened = RunLogFile::Create(log_path, seed, scenario);
    if (!opened) SayFailed(reporter, Verdict::kGood, opened.error().message);
    file = std::move(*opened);
    log.on_event = [&](const scenario::Event& event) { file->Append(event); };
  }
  const auto result = RunWatched(scenario, reporter, log, file.get());
  // A fault may keep the card from coming up. That is not a failure: nothing ran on it.
  if (result) Add(*result, log, counts);
  if (!result) ++counts["cards that did not come up"];
  if (file != nullptr) file->Ended(log.hash());
  if (file != nullptr && file->incomplete()) {
    SayFailed(reporter, Verdict::kGood, log_path + ": cannot be written to its end");
  }
  reporter.Report(fmt::format("end {}", log.hash()));
}

void Work(const SimulateOptions& options, Shared& shared, const WorkerReporter& reporter) {
  Counts counts;
  // The marks begin with the counts of the parent, which are subtracted here. An unsigned count may
  // wrap below zero for a moment; the addition below corrects it.
  for (const hwsim::CoverageMark& mark : hwsim::CoverageMarks()) {
    counts[fmt::format("reached {}", mark.name)] -= mark.reached.load(std::memory_order_relaxed);
  }
  const SeedRange& seeds = options.seeds;
  const uint64_t total = seeds.count();
  while (!shared.stop.load(std::memory_order_relaxed)) {
    const uint64_t index = shared.next.fetch_add(1, std::memory_order_relaxed);
    if (index >= total) break;
    const uint64_t seed = seeds.first + seeds.shard + index * seeds.shards;
    reporter.Report(fmt::format("begin {}", seed));
    RunSeed(seed, options.log, reporter, counts);
  }
  for (const hwsim::CoverageMark& mark : hwsim::CoverageMarks()) {
    counts[fmt::format("reached {}", mark.name)] += mark.reached.load(std::memory_order_relaxed);
  }
  for (const auto& [name, count] : counts) reporter.Report(fmt::format("count {} {}", count, name));
  reporter.Report("done");
}

// What the parent knows of a worker.
struct Worker {
  std::unique_ptr<WorkerProcess> process;
  uint64_t seed = 0;
  bool busy = false;  // runs `seed`
  bool done = false;
  Clock::time_point begun{};
};

// The parent: starts the workers and reads their lines.
class Sweep {
 public:
  explicit Sweep(const SimulateOptions& options) : options_(options) {}

  hwsim::Expected<SimulateReport> Run() {
    Shared* const shared = memory_.get();
    if (shared == nullptr) return hwsim::Unexpected("no memory to share with the workers");
    for (uint32_t i = 0; i < options_.workers; ++i) {
      auto process = WorkerProcess::Start(
          [&](const WorkerReporter& reporter) { Work(options_, *shared, reporter); });
      if (!process) return hwsim::Unexpected(std::move(process.error()));
      workers_.push_back({.process = std::move(*process)});
    }
    while (!workers_.empty()) {
      WaitForLines();
      for (Worker& worker : workers_) HandleOutput(worker);
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

  void HandleOutput(Worker& worker) {
    if (!hwsim::IsReadable(worker.process->fd())) {
      if (worker.busy && Clock::now() - worker.begun > kSeedTimeMax) {
        worker.process->Kill();
        Fail(worker, Verdict::kStuck,
             fmt::format("still running after {} s of real time", kSeedTimeMax.count()));
      }
      return;
    }
    bool ended = false;
    for (const std::string& line : worker.process->ReadLines(ended)) HandleLine(worker, line);
    if (!ended) return;
    const std::string how = worker.process->Wait();
    if (worker.busy) Fail(worker, Verdict::kCrashed, how.empty() ? "it ended itself" : how);
    if (!worker.busy && !worker.done && error_.empty() && !report_.failure) {
      error_ = "a worker ended: " + how;
    }
    worker.process.reset();
  }

  void HandleLine(Worker& worker, const std::string& line) {
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
      // A sum, because seeds end in any order. Each hash is weighted with its seed, so that equal
      // changes in two seeds do not cancel.
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
    // Seeds begin in order, so every seed before this one runs to its end. The lowest that fails
    // is reported.
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

std::string_view VerdictName(Verdict verdict) { return hwsim::EnumNames<Verdict>::NameOf(verdict); }

hwsim::Expected<SimulateReport> RunSimulate(const SimulateOptions& options) {
  return Sweep(options).Run();
}

namespace {

// A trial reports in these lines:
//   event AT NUMBER INDEX KIND DETAIL
//   good HASH
//   failed VERDICT WHAT
//   unable WHY               the scenario could not be run
void Try(const scenario::ScenarioOptions& options, bool with_events,
         const WorkerReporter& reporter) {
  scenario::EventLog log(false);
  if (with_events) {
    log.on_event = [&](const scenario::Event& event) {
      reporter.Report(fmt::format("event {} {} {} {} {}", event.at.time_since_epoch().count(),
                                  event.number, event.index, static_cast<int>(event.kind),
                                  static_cast<int>(event.detail)));
    };
  }
  const auto result = RunWatched(options, reporter, log, nullptr);
  reporter.Report(result ? fmt::format("good {}", log.hash()) : "unable " + result.error().message);
}

// Takes a line of the trial. Returns false when the scenario could not be run.
bool TakeTrialLine(const std::string& line, ScenarioTrial& trial) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "event") {
    int64_t at = 0;
    int kind = 0;
    int detail = 0;
    scenario::Event event;
    words >> at >> event.number >> event.index >> kind >> detail;
    event.at = hwsim::TimePoint(hwsim::Duration(at));
    event.kind = static_cast<scenario::EventKind>(kind);
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

hwsim::Expected<ScenarioTrial> TryScenario(const scenario::ScenarioOptions& options,
                                           bool with_events) {
  auto process = WorkerProcess::Start(
      [&](const WorkerReporter& reporter) { Try(options, with_events, reporter); });
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
    if (!hwsim::IsReadable((*process)->fd(), std::chrono::seconds(1))) continue;
    for (const std::string& line : (*process)->ReadLines(ended)) {
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

}  // namespace tools::simulate
