// CardCore: what both kinds of card have in common. It hands arrivals to the
// model, completes requests and batches when the model and the work are done, and
// posts completions and interrupts to each queue pair in one go.
//
// Threads: one drives it; SetInterrupts and stats from any. Time: what it is told.
#ifndef GHOSTCARD_HWSIM_CARD_CORE_H_
#define GHOSTCARD_HWSIM_CARD_CORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hwsim/card.h"
#include "hwsim/model/card_model.h"
#include "hwsim/model/fault_log.h"
#include "hwsim/queue_pair.h"
#include "hwsim/rings/transport.h"

namespace hwsim {

class CardCore {
 public:
  // When the work of requests is done, beside their modelled time.
  enum class Work : uint8_t {
    kElsewhere,     // from their arrival on, by whoever `start_work` gives it to
    kOnCompletion,  // when the model completes them, on the driver's thread
    kNone,          // not at all
  };
  // Takes a request's work away; WorkDone() is told when it is over.
  using StartWork = std::function<void(Request& request, uint32_t queue_pair)>;

  // What both kinds of card are made of.
  struct Plan {
    const Profile& profile;
    uint64_t seed = 1;
    TimePoint start{};  // the times of faults count from here
    FaultLog& fault_log;
  };

  // `start_work` may be empty unless the work is done elsewhere.
  CardCore(const Plan& plan, std::span<const std::unique_ptr<QueuePair>> queue_pairs, Work work,
           StartWork start_work);

  void Arrive(TimePoint now, std::span<const Arrival> arrivals);
  // What the model has due by `now` happens.
  void Advance(TimePoint now);
  void WorkDone(TimePoint now, Request& request, uint32_t queue_pair, bool ok);
  // Tells the queue pairs what happened since the last Flush.
  void Flush();

  std::optional<TimePoint> NextEvent() const { return model_.NextEvent(); }

  void SetInterrupts(bool on) { interrupts_on_.store(on, std::memory_order_relaxed); }
  Card::Stats stats() const;

 private:
  // What Flush has to tell a queue pair.
  struct Outbox {
    std::vector<Descriptor> completions;
    bool raise = false;
    bool listed = false;       // in dirty_
    bool unsignalled = false;  // completions, posted or not, since the line last was to rise
  };
  // Counters that one thread writes and any may read; relaxed, as each stands alone.
  class Counter {
   public:
    void Add(uint64_t n) { value_.store(value() + n, std::memory_order_relaxed); }
    void RaiseTo(uint64_t n) {
      if (n > value()) value_.store(n, std::memory_order_relaxed);
    }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<uint64_t> value_{0};
  };

  void ArriveOne(TimePoint now, Request& request, uint32_t queue_pair);
  void OnModelComplete(TimePoint now, const ModelEvent& event);
  void OnInterrupt(uint32_t queue_pair);
  void OnFault(const ModelEvent& event);
  // One of the request's parts is over. Returns whether that put a completion in the outbox.
  bool PartOver(TimePoint now, Request& request, uint32_t queue_pair);
  Outbox& Dirty(uint32_t queue_pair);

  CardModel model_;
  FaultLog& fault_log_;
  const std::span<const std::unique_ptr<QueuePair>> queue_pairs_;
  const Work work_;
  const StartWork start_work_;
  // Relaxed: a switch without a moment of its own; the driver looks at it as it goes.
  std::atomic<bool> interrupts_on_{true};
  bool model_interrupts_ = true;

  std::vector<ModelEvent> events_;
  std::vector<Outbox> outboxes_;
  std::vector<uint32_t> dirty_;

  Counter completed_;
  Counter interrupts_;
  Counter faults_fired_;  // those of the model
  Counter lateness_total_ns_;
  Counter lateness_max_ns_;
};

// What both kinds check before they begin: queue pairs and depth against the profile.
// Fills in the depth where it is 0.
Expected<void> CheckCardOptions(const Profile& profile, uint32_t queue_pairs, uint32_t* depth);

// The queue pair with its share of the fault plan, which draws from a stream of its own. `clock`
// outlives it.
QueuePair::Options QueuePairOptions(const CardCore::Plan& plan, uint32_t index, uint32_t depth,
                                    const Clock& clock);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_CARD_CORE_H_
