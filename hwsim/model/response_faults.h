// ResponseFaults: the way of a response from its service unit to the host, and the faults on it:
// completion_error and the response_ kinds.
//
//   Deliver       leaves the service unit; may be dropped, delayed or reordered
//   DeliverToHost is at the response ring; waits there while the ring is stalled
//   Complete      is in the ring: the request completes
//
// Threads: one at a time, the caller of the model. Time: the card's own (card_time.h).
#ifndef GHOSTCARD_HWSIM_MODEL_RESPONSE_FAULTS_H_
#define GHOSTCARD_HWSIM_MODEL_RESPONSE_FAULTS_H_

#include <cstdint>
#include <vector>

#include "hwsim/model/fault_context.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

class ResponseFaults {
 public:
  using Response = ServiceUnits::Response;

  // `context` outlives this.
  ResponseFaults(uint32_t queue_pairs, FaultContext& context)
      : context_(context), queue_pairs_(queue_pairs) {}

  // A response has left its service unit. It completes its request now, or as the fault of its
  // request says.
  void Deliver(const Response& response);
  // The response ring of the queue pair is stalled until then. Never shortens a stall.
  void Stall(uint32_t queue_pair, TimePoint until);
  // Keeps the response until TakeAll: nothing else completes its request.
  void Drop(const Response& response) { dropped_.push_back(response); }
  // The request completes at response.time.
  void Complete(const Response& response, operations::CompletionStatus status);
  // Does at its time what a fault of a response put off. Requires: action.kind is not kRaise.
  void Do(TimePoint card, const DelayedAction& action);

  // Takes all responses that did not complete their requests yet, in no particular order, and ends
  // all stalls. Delayed responses are among the delayed actions, and not here.
  std::vector<Response> TakeAll();

 private:
  // A reordered response, which waits until `left` others of its queue pair have completed.
  struct Held {
    Response response;
    uint32_t left = 0;
  };
  struct QueuePairState {
    TimePoint stalled_until{};
    std::vector<Response> stalled;
    std::vector<Held> held;
  };

  void DeliverToHost(const Response& response);
  void Release(const Response& response);
  void EndStall(TimePoint card, QueuePairState& queue_pair);
  void PutOff(TimePoint card, DelayedAction::Kind kind, const Response& response) {
    context_.actions.Add(card,
                         {.kind = kind, .queue_pair = response.queue_pair, .response = response});
  }

  FaultContext& context_;
  std::vector<QueuePairState> queue_pairs_;
  std::vector<Response> dropped_;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_RESPONSE_FAULTS_H_
