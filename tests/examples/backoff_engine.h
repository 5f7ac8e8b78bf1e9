// BackoffEngine: a small engine with a retry loop, for the page's example of a test.
//
// Threads: one.
#ifndef GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_
#define GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "hwsim/base/clock.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/queue_pair.h"

// Runs a request on the card. When the ring is full, it submits again after 1, 2, 4 ... us.
class BackoffEngine {
 public:
  BackoffEngine(hwsim::rings::QueuePair& queue_pair, const hwsim::Clock& clock)
      : queue_pair_(queue_pair), clock_(clock) {}

  void Run(hwsim::operations::Request& request,
           std::function<void(hwsim::operations::SubmitStatus)> done) {
    request_ = &request;
    done_ = std::move(done);
    Try();
  }
  void Poll() {  // from the event loop
    hwsim::operations::Request* completed = nullptr;
    if (queue_pair_.PopCompleted({&completed, 1}) == 1) done_(hwsim::operations::SubmitStatus::kOk);
    if (retry_at_ && clock_.Now() >= *retry_at_) Try();
  }

 private:
  void Try() {
    retry_at_.reset();
    const hwsim::operations::SubmitStatus status = queue_pair_.Submit(*request_);
    if (status == hwsim::operations::SubmitStatus::kAgain) {
      retry_at_ = clock_.Now() + wait_;
      wait_ *= 2;
    }
    if (status == hwsim::operations::SubmitStatus::kError) done_(status);
  }

  hwsim::rings::QueuePair& queue_pair_;
  const hwsim::Clock& clock_;
  hwsim::operations::Request* request_ = nullptr;
  std::function<void(hwsim::operations::SubmitStatus)> done_;
  hwsim::Duration wait_ = std::chrono::microseconds(1);
  std::optional<hwsim::TimePoint> retry_at_;
};

#endif  // GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_
