#include "hwsim/card/real_card.h"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hwsim/base/counter.h"
#include "hwsim/base/fork_guard.h"
#include "hwsim/base/thread_timing.h"
#include "hwsim/card/card_core.h"
#include "hwsim/card/pacer.h"
#include "hwsim/card/work_pool.h"

namespace hwsim::card {
namespace {

constexpr uint32_t kExecutionThreadsMax = 64;
constexpr uint32_t kExecutionThreadsDefaultMax = 8;
constexpr size_t kArrivalBurst = 256;

}  // namespace

class RealCard::Impl {
 public:
  // What the card is made of before it runs.
  struct Base {
    Base(Options card_options, faults::FaultLog& fault_log)
        : options(std::move(card_options)),
          setup{.profile = options.profile,
                .seed = options.seed,
                .start = clock.Now(),
                .fault_log = fault_log} {}
    Options options;
    const MonotonicClock clock;
    const CardSetup setup;
  };
  // The host's end, before the card behind it runs.
  struct Rings {
    std::unique_ptr<rings::Transport> transport;
    std::vector<std::unique_ptr<rings::QueuePair>> queue_pairs;  // destroyed before the transport
  };

  static Expected<Rings> OpenRings(const Base& base, rings::TransportKind kind, std::string* note);

  Impl(std::unique_ptr<const Base> base, Rings rings, std::string note)
      : base_(std::move(base)),
        note_(std::move(note)),
        rings_(std::move(rings)),
        core_(base_->setup, rings_.queue_pairs,
              options().do_work ? CardCore::Work::kFromArrival : CardCore::Work::kNone,
              [this](operations::Request& request, uint32_t queue_pair) {
                work_.Start(request, queue_pair);
              }),
        work_(options().execution_threads, [this] { rings_.transport->Wake(); }),
        thread_([this] { Serve(); }) {}
  ~Impl() {
    stopping_.store(true, std::memory_order_relaxed);
    rings_.transport->Wake();
    thread_.join();
  }

  const Options& options() const { return base_->options; }
  void Reset() {
    reset_wanted_.store(true, std::memory_order_relaxed);
    rings_.transport->Wake();
  }

  const std::unique_ptr<const Base> base_;
  const std::string note_;
  const ForkGuard fork_guard_;
  const Rings rings_;
  CardCore core_;
  Counter sleeps_;

 private:
  void Serve();
  // Handles everything that has arrived or is due. Returns whether there was anything; sets `now`.
  bool Work(TimePoint* now);
  // Spins once if an event is due soon or work ended a short time ago; sleeps otherwise.
  void SpinOrSleep(TimePoint now, TimePoint last_work);

  const size_t processors_ = std::thread::hardware_concurrency();  // 0 (unknown): do not spin
  Pacer pacer_;
  std::array<rings::Arrival, kArrivalBurst> arrivals_;
  std::vector<WorkPool::Work> done_;
  // Relaxed: the transport's Wake(), called after each store, orders them.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> reset_wanted_{false};

  // Last, in this order: the service thread ends first, since it starts work in the pool; the
  // pool's threads end before the transport, which they wake.
  WorkPool work_;
  std::thread thread_;
};

Expected<RealCard::Impl::Rings> RealCard::Impl::OpenRings(const Base& base,
                                                          rings::TransportKind kind,
                                                          std::string* note) {
  const Options& options = base.options;
  Rings rings;
  auto transport = rings::CreateTransport(kind, options.queue_pairs, options.depth, note);
  if (!transport) return Unexpected(std::move(transport.error()));
  rings.transport = std::move(*transport);
  for (uint32_t i = 0; i < options.queue_pairs; ++i) {
    auto channel =
        rings.transport->OpenChannel(i, CompletionRingDepth(options.profile, options.depth));
    if (!channel) return Unexpected(std::move(channel.error()));
    rings.queue_pairs.push_back(std::make_unique<rings::QueuePair>(
        QueuePairOptions(base.setup, i, options.depth, base.clock), std::move(*channel)));
  }
  return rings;
}

void RealCard::Impl::Serve() {
  // Without this the kernel may delay a timer by 50 us to join it with others.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  TimePoint now = base_->clock.Now();
  TimePoint last_work = now;
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (Work(&now)) {
      last_work = now;
    } else {
      SpinOrSleep(now, last_work);
    }
  }
}

bool RealCard::Impl::Work(TimePoint* now) {
  const size_t arrived = rings_.transport->Receive(arrivals_);
  work_.TakeDone(done_);
  *now = base_->clock.Now();
  const std::optional<TimePoint> next = core_.NextEvent();
  const bool due = next && *next <= *now;
  // Before the arrivals: the model's events by `now` come first.
  if (due) core_.Advance(*now);
  const bool reset = reset_wanted_.load(std::memory_order_relaxed);
  if (reset) {
    reset_wanted_.store(false, std::memory_order_relaxed);
    core_.Reset(*now);
  }
  for (const WorkPool::Work& work : done_) {
    core_.WorkDone(*now, *work.request, work.queue_pair, work.ok);
  }
  if (arrived != 0) {
    core_.Arrive(*now, std::span(arrivals_).first(arrived));
    core_.Advance(*now);
  }
  core_.Flush();
  return due || reset || arrived != 0 || !done_.empty();
}

void RealCard::Impl::SpinOrSleep(TimePoint now, TimePoint last_work) {
  const std::optional<TimePoint> next = core_.NextEvent();
  const bool due_soon = next && *next - now <= pacer_.margin();
  // A spinning service thread must not take a processor from an execution thread.
  const bool may_spin = work_.busy() < processors_;
  if (due_soon || (may_spin && now - last_work < pacer_.spin())) {
    SpinPause();
    return;
  }
  sleeps_.Add(1);
  if (!next) {
    rings_.transport->Sleep(std::nullopt);
    return;
  }
  const TimePoint wake_at = *next - pacer_.margin();
  rings_.transport->Sleep(wake_at - now);
  // A sleep that ended early, by a wake-up, does not measure the cost of a timer.
  const TimePoint woken = base_->clock.Now();
  if (woken >= wake_at) pacer_.Overslept(woken - wake_at);
}

Expected<std::unique_ptr<RealCard>> RealCard::Create(Options options) {
  auto valid = CheckCardOptions(options.profile, options.queue_pairs, &options.depth);
  if (!valid) return Unexpected(std::move(valid.error()));
  if (options.execution_threads > kExecutionThreadsMax) {
    return Unexpected("execution_threads: " + std::to_string(options.execution_threads) +
                      "; 1 to 64, or 0 for one per processor");
  }
  if (options.execution_threads == 0) {
    options.execution_threads =
        std::clamp(std::thread::hardware_concurrency(), 1U, kExecutionThreadsDefaultMax);
  }
  std::string note;
  const rings::TransportKind transport = options.transport;
  auto log = std::make_unique<faults::FaultLog>();
  auto base = std::make_unique<Impl::Base>(std::move(options), *log);
  auto queue_pairs = OpenableQueuePairs(base->setup, base->options.queue_pairs);
  if (!queue_pairs) return Unexpected(std::move(queue_pairs.error()));
  base->options.queue_pairs = *queue_pairs;
  auto rings = Impl::OpenRings(*base, transport, &note);
  if (!rings && transport == rings::TransportKind::kAuto) {
    // The first ring opened, and a later one did not.
    const std::string why = rings.error().message;
    rings = Impl::OpenRings(*base, rings::TransportKind::kMemory, &note);
    note = why + "; using the memory transport";
  }
  if (!rings) return Unexpected(std::move(rings.error()));
  auto impl = std::make_unique<Impl>(std::move(base), std::move(*rings), std::move(note));
  return std::unique_ptr<RealCard>(new RealCard(std::move(log), std::move(impl)));
}

RealCard::RealCard(std::unique_ptr<faults::FaultLog> log, std::unique_ptr<Impl> impl)
    : CardBase(std::move(log), impl->core_, impl->base_->clock), impl_(std::move(impl)) {}

RealCard::~RealCard() {
  // A forked child has neither the threads nor the rings of its parent's card, so it must not end
  // them: it leaks the object. The descriptors close on exec and exit.
  if (!impl_->fork_guard_.InCreator()) (void)impl_.release();
}

std::string_view RealCard::transport_name() const { return impl_->rings_.transport->name(); }
const std::string& RealCard::transport_note() const { return impl_->note_; }
void RealCard::Reset() { impl_->Reset(); }

Card::Stats RealCard::stats() const {
  Stats stats = CardBase::stats();
  stats.sleeps = impl_->sleeps_.value();
  return stats;
}

}  // namespace hwsim::card
