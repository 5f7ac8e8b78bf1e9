// Offload: runs libcrypto's work on this process's card.
//
// Work is a value that owns everything it uses (see hwsim::operations::Workload), because its
// caller may be gone before the card has finished. Inside an ASYNC_JOB the job pauses until the
// work is done; elsewhere the caller waits in place. With `software_fallback`, the caller does work
// that the card refuses or fails.
//
// Threads: any. fork: the child gets a card of its own at its first use; requests in flight stay
// with the parent. Ownership: an Offload lives until the process ends, because libcrypto may free
// contexts that refer to it after it has shut the module down.
#ifndef GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_
#define GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/openssl/libcrypto_wait.h"
#include "engine/openssl/options.h"
#include "hwsim/model/profile.h"

namespace engine::openssl {

class Offload {
 public:
  // Fails when the profile does not exist or is wrong, or when its card has too few queue pairs.
  // The card itself is made at the first use.
  static hwsim::Expected<Offload*> Create(const OffloadOptions& options);
  // `profile` describes the card, instead of the profile that `options` names.
  static hwsim::Expected<Offload*> Create(const OffloadOptions& options,
                                          hwsim::model::Profile profile);

  // Runs `operation` on the card, or in the caller (see software_fallback). True: it succeeded.
  // False: it failed, and this thread's failure_reason() says why. The reason is empty when the
  // work itself failed (for example on bad padding); then the operation has the error.
  template <hwsim::operations::Workload Work>
  bool Run(Operation<Work>& operation) {
    switch (RunOnCard(operation)) {
      case Ending::kDone:
        return true;
      case Ending::kFailed:
        return false;
      case Ending::kRunInCaller:
        return operation->Execute();
    }
    return false;
  }
  static const std::string& failure_reason();

  // Whether data of this size goes to the card.
  bool ReachesThreshold(SizedWork work, size_t bytes) const {
    return bytes >= options_.threshold(work);
  }
  OffloadOptions& options() { return options_; }

  // This process's engine; makes it if there is none. For callers that need more than the methods
  // below. Null: it cannot be made, and failure_reason() says why.
  Engine* engine();
  // Chooses the queue pair that the calling thread submits to, in every Offload. Requires: every
  // card has it.
  static void UseQueuePairInThread(uint32_t queue_pair);
  // For calls outside jobs: see RunOptions::retries_max.
  void SetRetriesMax(std::optional<uint32_t> retries_max) {
    retries_max_.store(retries_max ? *retries_max : kNoLimit, std::memory_order_relaxed);
  }

  // Polls for completions, at most `quota` for each queue pair (0: all). Returns the number
  // handled. Required with `completion = inline`, allowed in other modes.
  size_t Poll(size_t quota = 0);
  size_t in_flight();
  // Poll and in_flight for all Offloads of this process together.
  static size_t PollAll(size_t quota);
  static size_t InFlightOfAll();

  struct Stats {
    uint64_t requests = 0;  // accepted by the card
    uint64_t retries = 0;   // submits that returned kAgain
    uint64_t completions = 0;
    uint64_t in_flight = 0;
    uint64_t software = 0;  // done by the caller, because the card refused or failed the work
    uint64_t given_up = 0;  // the job was freed, or the time limit passed
  };
  Stats stats();

 private:
  struct ProcessEngine;
  enum class Ending : uint8_t { kDone, kFailed, kRunInCaller };

  Offload(OffloadOptions options, hwsim::model::Profile profile)
      : options_(std::move(options)), profile_(std::move(profile)) {}
  Ending RunOnCard(OperationHandle& operation);
  // Makes this process's engine if there is none. Null: failure_reason() says why not.
  ProcessEngine* GetProcessEngine();
  hwsim::Expected<std::unique_ptr<ProcessEngine>> MakeProcessEngine() const;
  void PrintStatistics();
  static void LockBeforeFork();
  static void UnlockAfterFork();
  static void ResetInChild();

  OffloadOptions options_;
  const hwsim::model::Profile profile_;
  std::mutex mutex_;  // held while the engine is made, and across fork()
  // Made once in each process and never freed. Acquire/release: a reader sees a complete engine.
  std::atomic<ProcessEngine*> process_engine_{nullptr};
  // Relaxed: no other data depends on these.
  std::atomic<uint64_t> software_{0};
  static constexpr uint64_t kNoLimit = UINT64_MAX;
  std::atomic<uint64_t> retries_max_{kNoLimit};
};

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_
