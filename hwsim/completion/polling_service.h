// PollingService: a thread looks at all queue pairs at an interval and handles what completed.
// While nothing is in flight, the thread sleeps until a submit, Wake() or OnTime's deadline.
//
// Threads: as CompletionService says.
#ifndef GHOSTCARD_HWSIM_COMPLETION_POLLING_SERVICE_H_
#define GHOSTCARD_HWSIM_COMPLETION_POLLING_SERVICE_H_

#include <memory>
#include <optional>

#include "hwsim/completion/service_thread.h"

namespace hwsim::completion {

class PollingService final : public ThreadedService {
 public:
  // Makes the service and starts its thread. Fails when the process is out of descriptors.
  // Requires: `options` are within their bounds; `card` outlives the service.
  static Expected<std::unique_ptr<CompletionService>> Create(card::Card& card, Options options);
  ~PollingService() override { Stop(); }

 private:
  using ThreadedService::ThreadedService;

  void Run() override;
  // Sleeps until the thread is woken, OnTime is due, or `time_max` is over; nullopt: no limit.
  void Sleep(std::optional<Duration> time_max);
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_POLLING_SERVICE_H_
