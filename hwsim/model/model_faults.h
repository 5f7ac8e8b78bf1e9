// ModelFaults: the faults of a plan at work inside the model: what happens to a
// request's response between the engines and the host, to the interrupt behind it, and
// to the card as a whole. A model without a plan has none of this.
//
// Threads: none; whoever drives it. Time: told the world's; the engines behind it live in the
// card's own time, which stands still while the card hangs.
//
// Everything up to a time happens before an arrival at that time is looked at, so it does not
// matter how late the driver comes.
#ifndef GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_
#define GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hwsim/model/card_model.h"
#include "hwsim/model/card_server.h"
#include "hwsim/model/card_state.h"
#include "hwsim/model/fault_injector.h"
#include "hwsim/model/moderator.h"

namespace hwsim {

class ModelFaults final : public CardServer::Slowness {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  // The server and the moderator are the model's, and outlive this.
  ModelFaults(const FaultPlan& plan, uint32_t queue_pairs, uint64_t seed, TimePoint start,
              CardServer& server, Moderator& moderator);
  ModelFaults(const ModelFaults&) = delete;
  ModelFaults& operator=(const ModelFaults&) = delete;

  // `request.arrival` is set.
  void Arrive(TimePoint now, CardServer::Waiting request, uint32_t queue_pair);
  // Everything up to and at `now` happens; the events are in events().
  void Run(TimePoint now);
  // When Run has something to do; kNever: not before another arrival. May be early.
  TimePoint NextEvent() const;
  // The card resets itself, and is down for `time`. Only while it is up.
  void Reset(TimePoint now, Duration time);

  // For a model that had none until now: `requests` are on the card, of queue pairs not known.
  void TakeOver(size_t requests) { on_card_ = requests; }

  // What happened and was not taken yet, in order. For the taker to clear.
  std::vector<ModelEvent>& events() { return events_; }
  const std::vector<ModelEvent>& events() const { return events_; }
  std::vector<ModelFault>& faults() { return faults_; }
  CardState state() const { return state_; }
  // Since when the heartbeat stands still; kNever: it does not.
  TimePoint heartbeat_stopped() const;

  Duration ServiceTime(Duration usual, uint64_t arrival, TimePoint start) override;

 private:
  using Completion = CardServer::Completion;
  // A response kept back until `left` others of its queue pair have passed.
  struct Held {
    Completion completion;
    uint32_t left = 0;
  };
  struct QueuePairFaults {
    uint32_t on_card = 0;
    OperationKind last_operation{};  // completed
    TimePoint stalled_until{};       // the card's time, as all but where said
    std::vector<Completion> stalled;
    std::vector<Held> held;
    TimePoint coalesced_until{};
  };
  // Something that happens to the host's side at a time of the card's.
  struct Action {
    enum class Kind : uint8_t { kDeliver, kRepeat, kRelease, kEndStall, kRaise } kind{};
    uint32_t queue_pair = 0;
    Completion completion;
  };
  // Something that happens to the card at a time of the world's.
  struct Control {
    enum class Kind : uint8_t { kFault, kThaw, kRestart, kRestarted, kEndAlarm } kind{};
    Fault fault;
    uint64_t episode = 0;  // kThaw, kEndAlarm: of which hang or alarm this is the end
  };
  using Moment = std::pair<TimePoint, uint64_t>;  // of the same time, first come first

  TimePoint CardTime(TimePoint world) const {
    return frozen_since_ ? *frozen_since_ - frozen_total_ : world - frozen_total_;
  }
  TimePoint WorldTime(TimePoint card) const { return card + frozen_total_; }
  void At(TimePoint card, const Action& action) {
    agenda_.emplace(Moment(card, ++moments_), action);
  }
  void AtWorld(TimePoint world, const Control& control) {
    controls_.emplace(Moment(world, ++moments_), control);
  }

  void RunCard(TimePoint card);
  void Do(TimePoint card, const Action& action);
  void Do(TimePoint world, const Control& control);

  // What a fault does to the request that arrives, or to the card.
  void Strike(TimePoint world, const Fault& fault, uint64_t arrival, uint32_t queue_pair);
  void StrikeCard(TimePoint world, const Fault& fault);
  void Log(TimePoint world, const Fault& fault, RequestId request, uint32_t queue_pair);

  // A response has left the engines: it goes its way, or what its fault says.
  void Deliver(const Completion& completion);
  // It is at the host's end of the ring, and takes those with it who waited for it.
  void Arrive(const Completion& completion);
  void Emit(const Completion& completion, CompletionStatus status);
  void Signal(uint32_t queue_pair, TimePoint card);
  void Interrupt(uint32_t queue_pair, TimePoint card);
  void Raise(uint32_t queue_pair, TimePoint card, bool for_nothing);

  void Thaw(TimePoint world);
  void GoDown(TimePoint world, CardState state);
  // Answers everything that the card has, in the order of its submission.
  void AnswerAll(TimePoint world);

  CardServer& server_;
  Moderator& moderator_;
  FaultInjector arrivals_;
  FaultInjector interrupts_;
  std::vector<ModelEvent> events_;
  std::vector<ModelFault> faults_;

  std::unordered_map<uint64_t, Fault> effects_;  // by arrival: of requests on the card
  std::vector<QueuePairFaults> queue_pairs_;
  std::vector<Completion> dropped_;  // never answered, and those that came while it was down
  size_t on_card_ = 0;
  TimePoint idle_since_;  // the world's

  std::map<Moment, Action> agenda_;
  std::map<Moment, Control> controls_;
  uint64_t moments_ = 0;
  uint64_t episodes_ = 0;

  CardState state_ = CardState::kUp;
  std::optional<TimePoint> frozen_since_;  // the world's, as are the other two
  std::optional<TimePoint> down_since_;
  std::optional<TimePoint> alarm_since_;
  uint64_t freeze_episode_ = 0;
  uint64_t alarm_episode_ = 0;
  Duration frozen_total_{};
  TimePoint throttled_until_{};
  double throttle_factor_ = 1;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_MODEL_FAULTS_H_
