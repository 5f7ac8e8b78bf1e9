// BackoffEngine: a small engine with a retry loop, for the page's example of a test.
//
// Threads: one.
#ifndef GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_
#define GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "hwsim/clock.h"
#include "hwsim/queue_pair.h"
#include "hwsim/request.h"

// Runs a request on the card. When the ring is full, it submits again after 1, 2, 4 ... us.
class BackoffEngine {
 public:
  BackoffEngine(hwsim::QueuePair& queue_pair, const hwsim::Clock& clock)
      : queue_pair_(queue_pair), clock_(clock) {}

  void Run(hwsim::Request& request, std::function<void(hwsim::SubmitStatus)> done) {
    request_ = &request;
    done_ = std::move(done);
    Try();
  }
  void Poll() {  // from the event loop
    hwsim::Request* completed = nullptr;
    if (queue_pair_.PopCompleted({&completed, 1}) == 1) done_(hwsim::SubmitStatus::kOk);
    if (retry_at_ && clock_.Now() >= *retry_at_) Try();
  }

 private:
  void Try() {
    retry_at_.reset();
    const hwsim::SubmitStatus status = queue_pair_.Submit(*request_);
    if (status == hwsim::SubmitStatus::kAgain) {
      retry_at_ = clock_.Now() + wait_;
      wait_ *= 2;
    }
    if (status == hwsim::SubmitStatus::kError) done_(status);
  }

  hwsim::QueuePair& queue_pair_;
  const hwsim::Clock& clock_;
  hwsim::Request* request_ = nullptr;
  std::function<void(hwsim::SubmitStatus)> done_;
  hwsim::Duration wait_ = std::chrono::microseconds(1);
  std::optional<hwsim::TimePoint> retry_at_;
};

#endif  // GHOSTCARD_TESTS_EXAMPLES_BACKOFF_ENGINE_H_
