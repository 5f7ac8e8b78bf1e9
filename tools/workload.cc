#include "tools/workload.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

#include "hwsim/check.h"
#include "hwsim/fd.h"
#include "tools/load/out_of_descriptors.h"
#include "waitctx/job.h"

namespace tools {

using engine::Outcome;
using hwsim::Bytes;
using hwsim::OperationKind;
using waitctx::JobStatus;
using waitctx::Status;
using waitctx::WaitContext;
using waitctx::WaitContextRef;
using SteadyClock = std::chrono::steady_clock;

std::string_view NotifyName(Notify notify) { return notify == Notify::kFd ? "fd" : "callback"; }

namespace {

// Inputs that do not compress to nothing and are the same each time.
std::vector<std::byte> Pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>((state >> 24) & 0x3f);
  }
  return bytes;
}

template <typename T>
engine::OperationHandle MakeAesGcm(const std::vector<std::byte>& input) {
  constexpr size_t kKeyBytes = T::kKind == OperationKind::kAes128Gcm ? 16 : 32;
  static constexpr std::array<std::byte, kKeyBytes> kKey{};
  static constexpr std::array<std::byte, 12> kIv{};
  return engine::Operation<T>(hwsim::Direction::kEncrypt,
                              std::span<const std::byte, kKeyBytes>(kKey),
                              std::span<const std::byte, 12>(kIv), Bytes{}, Bytes(input));
}

std::optional<hwsim::PrivateKey::Type> KeyTypeOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kRsa2048Sign:
      return hwsim::PrivateKey::Type::kRsa2048;
    case OperationKind::kRsa4096Sign:
      return hwsim::PrivateKey::Type::kRsa4096;
    case OperationKind::kEcdsaP256Sign:
      return hwsim::PrivateKey::Type::kEcdsaP256;
    case OperationKind::kX25519:
      return hwsim::PrivateKey::Type::kX25519;
    default:
      return std::nullopt;
  }
}

}  // namespace

hwsim::Expected<OperationFactory> OperationFactory::Create(OperationKind kind,
                                                           uint32_t size_bytes) {
  std::shared_ptr<const hwsim::PrivateKey> key;
  if (const auto type = KeyTypeOf(kind)) {
    auto made = hwsim::PrivateKey::Generate(*type);
    if (!made) return hwsim::Unexpected(std::move(made.error()));
    key = std::move(*made);
  }
  const std::vector<std::byte> input = Pattern(size_bytes);
  return OperationFactory([kind, key, input]() -> engine::OperationHandle {
    switch (kind) {
      case OperationKind::kNull:
        return engine::Operation<hwsim::Null>();
      case OperationKind::kCopy:
        return engine::Operation<hwsim::Copy>(Bytes(input));
      case OperationKind::kCrc32c:
        return engine::Operation<hwsim::Crc32c>(Bytes(input));
      case OperationKind::kSha256:
        return engine::Operation<hwsim::Sha256>(Bytes(input));
      case OperationKind::kAes128Gcm:
        return MakeAesGcm<hwsim::Aes128Gcm>(input);
      case OperationKind::kAes256Gcm:
        return MakeAesGcm<hwsim::Aes256Gcm>(input);
      case OperationKind::kRsa2048Sign:
        return engine::Operation<hwsim::Rsa2048Sign>(key, Bytes(input));
      case OperationKind::kRsa4096Sign:
        return engine::Operation<hwsim::Rsa4096Sign>(key, Bytes(input));
      case OperationKind::kEcdsaP256Sign:
        return engine::Operation<hwsim::EcdsaP256Sign>(key, Bytes(input));
      case OperationKind::kX25519: {
        static constexpr std::array<std::byte, 32> kBasePoint{std::byte{9}};
        return engine::Operation<hwsim::X25519>(key, std::span<const std::byte, 32>(kBasePoint));
      }
      case OperationKind::kDeflate:
        return engine::Operation<hwsim::Deflate>(Bytes(input));
      case OperationKind::kOther:
        break;
    }
    GHOSTCARD_CHECK(false, "no operation of that kind can be made from its name");
  });
}

namespace {

struct Slot {
  explicit Slot(engine::OperationHandle made) : operation(std::move(made)) {}

  WaitContextRef context;
  engine::OperationHandle operation;
  engine::Engine* engine = nullptr;
  waitctx::Job* job = nullptr;
  Outcome outcome = Outcome::kOk;
  SteadyClock::time_point started;
  uint32_t retries = 0;
  uint64_t finished = 0;
  bool fd_watched = false;
  Slot* next_ready = nullptr;
  class ReadyList* ready_list = nullptr;
};

// Where callbacks put the slots that are to be resumed, and the application sleeps.
// Many push, one takes.
class ReadyList {
 public:
  void Push(Slot& slot) {
    Slot* head = head_.load(std::memory_order_relaxed);
    do {
      slot.next_ready = head;
      // seq_cst with sleeping_: either the sleeper sees the slot, or we see the sleeper.
    } while (!head_.compare_exchange_weak(head, &slot, std::memory_order_seq_cst));
    if (sleeping_.load(std::memory_order_seq_cst)) {
      { const std::lock_guard lock(mutex_); }  // its owner sleeps, or has yet to look
      woken_.notify_one();
    }
  }

  // Oldest first; null: none.
  Slot* TakeAll() {
    Slot* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Slot* oldest = nullptr;
    while (newest != nullptr) {
      Slot* const next = newest->next_ready;
      newest->next_ready = oldest;
      oldest = newest;
      newest = next;
    }
    return oldest;
  }

  // Not std::atomic::wait, which yields before it sleeps: one that yields comes last, and would
  // be late by a time slice where threads outnumber processors.
  void SleepUntilReady() {
    std::unique_lock lock(mutex_);
    sleeping_.store(true, std::memory_order_seq_cst);
    woken_.wait(lock, [this] { return head_.load(std::memory_order_seq_cst) != nullptr; });
    sleeping_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<Slot*> head_{nullptr};
  std::atomic<bool> sleeping_{false};
  std::mutex mutex_;  // protects nothing: it keeps a wake-up from falling between look and sleep
  std::condition_variable woken_;
};

int RunOneOperation(void* args) {
  Slot& slot = **static_cast<Slot**>(args);
  slot.outcome = slot.engine->Run(slot.operation);
  return 0;
}

uint32_t Nanoseconds(SteadyClock::duration duration) {
  const int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(ns, 0, UINT32_MAX));
}

// So long without one that finishes, and a workload gives up.
constexpr std::chrono::seconds kPatience{30};

class Loop {
 public:
  Loop(engine::Engine& engine, const OperationFactory& operations, const WorkloadOptions& options)
      : engine_(engine),
        options_(options),
        inline_(engine.options().completion == hwsim::CompletionMode::kInline),
        told_of_space_(engine.options().retry == engine::RetryPolicy::kWhenSpace &&
                       engine.options().callback_when_space),
        sample_every_((options.requests + kSamplesMax - 1) / kSamplesMax) {
    for (uint32_t i = 0; i < options.concurrency; ++i) {
      Slot& slot = slots_.emplace_back(operations.Make());
      slot.context = WaitContext::Create();
      slot.engine = &engine;
      slot.ready_list = &ready_;
      if (options.notify == Notify::kCallback) {
        slot.context->SetCallback({[](void* argument) {
                                     Slot& told = *static_cast<Slot*>(argument);
                                     told.ready_list->Push(told);
                                     return 0;
                                   },
                                   &slot});
      }
    }
    result_.samples.reserve(std::min<uint64_t>(options.requests, kSamplesMax));
    result_.retries.reserve(std::min<uint64_t>(options.requests, kSamplesMax));
  }
  ~Loop() {
    for (Slot& slot : slots_) slot.context->Close();
  }

  hwsim::Expected<WorkloadResult> Run() {
    epoll_ = hwsim::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) return hwsim::Unexpected(hwsim::SystemError("epoll_create1", errno));
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    const auto start = SteadyClock::now();
    const std::jthread patience([this](const std::stop_token& stop) { WatchProgress(stop); });
    for (Slot& slot : slots_) Start(slot);
    while (goes_on() || (result_.finished < started_ && !error_)) {
      const uint64_t finished_before = result_.finished;
      if (inline_ && engine_.Poll() == 0) std::this_thread::yield();
      HandleReady();
      RetryByTrial(result_.finished != finished_before);
      finished_.store(result_.finished, std::memory_order_relaxed);
      if (options_.progress) options_.progress(result_.finished);
    }
    if (error_) {
      Drain();
      return hwsim::Unexpected(*error_);
    }
    if (gave_up_.load(std::memory_order_relaxed)) {
      return hwsim::Unexpected(fmt::format(
          "nothing finished for {} s, after {} of {} requests: the card keeps what it was given",
          kPatience.count(), result_.ok, options_.requests));
    }
    result_.wall = SteadyClock::now() - start;
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    const auto micros = [](const timeval& a, const timeval& b) {
      return std::chrono::seconds(b.tv_sec - a.tv_sec) +
             std::chrono::microseconds(b.tv_usec - a.tv_usec);
    };
    result_.cpu = micros(before.ru_utime, after.ru_utime) + micros(before.ru_stime, after.ru_stime);
    result_.sleeps = static_cast<uint64_t>(after.ru_nvcsw - before.ru_nvcsw);
    for (const Slot& slot : slots_) result_.finished_per_job.push_back(slot.finished);
    return std::move(result_);
  }

 private:
  bool goes_on() const {
    return started_ < options_.requests && !error_ && !gave_up_.load(std::memory_order_relaxed);
  }

  // A card may never answer, and nobody else gives up here.
  void WatchProgress(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    std::chrono::seconds idle{0};
    for (uint64_t seen = 0; !stop.stop_requested();) {
      never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
      const uint64_t finished = finished_.load(std::memory_order_relaxed);
      idle = finished == seen ? idle + std::chrono::seconds(1) : std::chrono::seconds(0);
      seen = finished;
      if (idle < kPatience) continue;
      gave_up_.store(true, std::memory_order_relaxed);
      for (Slot& slot : slots_) engine_.Cancel(slot.operation);
    }
  }

  // After an error: ends what is under way, told or not.
  void Drain() {
    for (Slot& slot : slots_) {
      if (slot.job == nullptr) continue;
      engine_.Cancel(slot.operation);
      int job_result = 0;
      while (waitctx::ResumeJob(slot.job, job_result) == JobStatus::kPaused) {
        if (inline_) engine_.Poll();
        std::this_thread::yield();
      }
    }
  }

  void Start(Slot& slot) {
    // A job that does not pause finishes here: go on until one does.
    while (goes_on()) {
      ++started_;
      slot.started = SteadyClock::now();
      slot.retries = 0;
      Slot* const args = &slot;
      int job_result = 0;
      const JobStatus status =
          waitctx::StartJob(slot.job, slot.context.get(), job_result, RunOneOperation,
                            std::as_bytes(std::span(&args, 1)));
      if (status != JobStatus::kFinished) return Paused(slot, status);
      Finished(slot);
    }
  }

  void Resume(Slot& slot) {
    if (slot.job == nullptr) return;  // a wait fd that lies, after the last of its jobs
    int job_result = 0;
    const JobStatus status = waitctx::ResumeJob(slot.job, job_result);
    if (status != JobStatus::kFinished) return Paused(slot, status);
    Finished(slot);
    Start(slot);
  }

  void Paused(Slot& slot, JobStatus status) {
    if (status != JobStatus::kPaused) {
      error_ = hwsim::Error{std::string("a job could not be run: ") + waitctx::LastJobError()};
      return;
    }
    const bool again = slot.context->status() == static_cast<int>(Status::kAgain);
    if (again) {
      ++result_.again;
      ++slot.retries;
    }
    if (options_.notify == Notify::kCallback) {
      if (again && !told_of_space_) by_trial_.push_back(&slot);
      return;
    }
    if (!slot.fd_watched) Watch(slot);
  }

  void Watch(Slot& slot) {
    int fd = -1;
    if (slot.context->wait_fd_count() == 0) {
      error_ = OutOfDescriptors(options_.concurrency, "jobs", /*callback_needs_fewer=*/true);
      return;
    }
    slot.context->CopyWaitFds(std::span(&fd, 1));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &slot}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      error_ = hwsim::SystemError("epoll_ctl", errno);
      return;
    }
    slot.fd_watched = true;
  }

  void HandleReady() {
    // Whoever is to be retried by trial is not waited for.
    const bool may_sleep = !inline_ && by_trial_.size() < started_ - result_.finished;
    if (options_.notify == Notify::kCallback) {
      Slot* slot = ready_.TakeAll();
      if (slot == nullptr && may_sleep) {
        ready_.SleepUntilReady();
        slot = ready_.TakeAll();
      }
      while (slot != nullptr) {
        Slot* const next = slot->next_ready;  // resuming may push it again
        Resume(*slot);
        slot = next;
      }
      return;
    }
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   may_sleep ? -1 : 0);
    for (int i = 0; i < count; ++i)
      Resume(*static_cast<Slot*>(events[static_cast<size_t>(i)].data.ptr));
  }

  // Jobs that met a full queue pair and are told by nobody: the oldest first, until one is
  // refused again.
  void RetryByTrial(bool slots_may_be_free) {
    if (by_trial_.empty()) return;
    if (!slots_may_be_free && engine_.in_flight() > 0) return;
    for (size_t left = by_trial_.size(); left > 0 && !error_; --left) {
      Slot& slot = *by_trial_.front();
      by_trial_.pop_front();
      const uint32_t retries_before = slot.retries;
      const uint64_t finished_before = slot.finished;
      Resume(slot);
      if (slot.finished == finished_before && slot.retries != retries_before) {
        // Refused again: it went to the tail; its place is at the head.
        by_trial_.pop_back();
        by_trial_.push_front(&slot);
        return;
      }
    }
  }

  void Finished(Slot& slot) {
    const auto now = SteadyClock::now();
    ++result_.finished;
    ++slot.finished;
    ++(slot.outcome == Outcome::kOk ? result_.ok : result_.err);
    if (result_.finished % sample_every_ != 0) return;
    const hwsim::Request& request = slot.operation.request();
    PhaseSample sample{.total_ns = Nanoseconds(now - slot.started)};
    if (slot.outcome == Outcome::kOk) {
      sample.queueing_ns = Nanoseconds(request.service_start - slot.started);
      sample.service_ns = Nanoseconds(request.completed - request.service_start);
      sample.notification_ns = Nanoseconds(now - request.completed);
    }
    result_.samples.push_back(sample);
    result_.retries.push_back(slot.retries);
  }

  engine::Engine& engine_;
  const WorkloadOptions& options_;
  const bool inline_;
  const bool told_of_space_;
  const uint64_t sample_every_;
  std::deque<Slot> slots_;
  ReadyList ready_;
  std::deque<Slot*> by_trial_;
  hwsim::UniqueFd epoll_;
  uint64_t started_ = 0;
  WorkloadResult result_;
  // For the patience's thread, and from it. Relaxed: they stand alone.
  std::atomic<uint64_t> finished_{0};
  std::atomic<bool> gave_up_{false};
  std::optional<hwsim::Error> error_;
};

}  // namespace

hwsim::Expected<WorkloadResult> RunWorkload(engine::Engine& engine,
                                            const OperationFactory& operations,
                                            const WorkloadOptions& options) {
  GHOSTCARD_CHECK(options.concurrency >= 1, "a workload needs a job");
  return Loop(engine, operations, options).Run();
}

}  // namespace tools
