#include "hwsim/completion/completion_service.h"

#include <string>
#include <utility>

#include "hwsim/completion/inline_service.h"
#include "hwsim/completion/interrupt_service.h"
#include "hwsim/completion/polling_service.h"

namespace hwsim::completion {
namespace {

Expected<void> Validate(const card::Card& card, const CompletionService::Options& options) {
  using std::chrono::milliseconds;
  if (!options.handler) return Unexpected("completion service: there is no handler");
  if (options.poll_interval < Duration::zero() || options.poll_interval > milliseconds(1000)) {
    return Unexpected("poll_interval: " + std::to_string(options.poll_interval.count()) +
                      " ns given; allowed: 0 to 1 s");
  }
  if (options.watchdog_interval < milliseconds(1) ||
      options.watchdog_interval > milliseconds(60'000)) {
    return Unexpected("watchdog_interval: " + std::to_string(options.watchdog_interval.count()) +
                      " ns given; allowed: 1 ms to 60 s");
  }
  if (options.mode != CompletionMode::kInline && card.single_threaded()) {
    return Unexpected("completion mode: " + std::string(CompletionModeName(options.mode)) +
                      " given, which needs a thread, but the card is for one thread; "
                      "allowed: inline");
  }
  return {};
}

}  // namespace

Expected<std::unique_ptr<CompletionService>> CompletionService::Create(card::Card& card,
                                                                       Options options) {
  if (auto valid = Validate(card, options); !valid) return Unexpected(std::move(valid.error()));
  card.SetInterrupts(options.mode == CompletionMode::kInterrupt);
  switch (options.mode) {
    case CompletionMode::kInterrupt:
      return InterruptService::Create(card, std::move(options));
    case CompletionMode::kPolling:
      return PollingService::Create(card, std::move(options));
    case CompletionMode::kInline:
      break;
  }
  return std::make_unique<InlineService>(card, std::move(options));
}

}  // namespace hwsim::completion
