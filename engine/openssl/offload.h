// Offload: the card of a process whose libcrypto loads our module, and how its work gets there.
//
// Work is a value that owns all it touches (see hwsim::Workload): whoever asked for it may
// be gone before the card has done it. Inside an ASYNC_JOB the job pauses meanwhile; elsewhere the
// caller waits in place. What the card refuses, or fails as a device, is done by the caller
// itself if `software_fallback` says so.
//
// Threads: everything from any. fork: the child gets a card of its own at its first use; what the
// parent has in flight stays the parent's. Ownership: an Offload lives until the process ends,
// because libcrypto frees contexts that know it after the module has been shut down.
#ifndef GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_
#define GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_

#include <atomic>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "engine/openssl/libcrypto_wait.h"
#include "engine/openssl/options.h"
#include "hwsim/model/profile.h"

namespace engine {

class Offload {
 public:
  // Fails on a profile that is not there or is wrong. The card itself is made at the first use.
  static hwsim::Expected<Offload*> Create(const OffloadOptions& options);
  // The same with a card that `options` does not describe.
  static hwsim::Expected<Offload*> Create(const OffloadOptions& options, hwsim::Profile profile);

  // Has the card do `operation`. True: its result stands. False: it failed; reason() of this
  // thread says why, "" if the work itself did (bad padding, say), which has said so itself.
  template <hwsim::Workload Work>
  bool Run(Operation<Work>& operation) {
    switch (RunOnCard(operation)) {
      case Ending::kDone:
        return true;
      case Ending::kFailed:
        return false;
      case Ending::kCallersTurn:
        return operation->Execute();
    }
    return false;
  }
  static const std::string& reason();

  // Whether a piece of that size is worth the way to the card.
  bool WorthIt(SizedWork work, size_t bytes) const { return bytes >= options_.threshold(work); }
  OffloadOptions& options() { return options_; }

  // This process's engine, made now if need be, for who polls or asks it more than is asked below.
  // Null: it cannot be had, and reason() says why.
  Engine* engine();
  // Which queue pair the calling thread submits to, of every Offload's. Requires: they have it.
  static void UseQueuePairInThread(uint32_t queue_pair);
  // For calls outside jobs: see RunOptions::retries_max.
  void SetRetriesMax(std::optional<uint32_t> retries_max) {
    retries_max_.store(retries_max ? *retries_max : kNoLimit, std::memory_order_relaxed);
  }

  // Looks for completions: for completion = inline, and for who polls besides. Returns how many.
  size_t Poll(size_t quota = 0);
  size_t in_flight();
  // The same for all that this process has.
  static size_t PollAll(size_t quota);
  static size_t InFlightOfAll();

  struct Stats {
    uint64_t requests = 0;  // accepted by the card
    uint64_t retries = 0;   // answers of kAgain
    uint64_t completions = 0;
    uint64_t in_flight = 0;
    uint64_t software = 0;  // done by the caller, because the card would not or could not
    uint64_t given_up = 0;  // their job is gone, or their time was up
  };
  Stats stats();

 private:
  struct Machine;
  enum class Ending : uint8_t { kDone, kFailed, kCallersTurn };

  Offload(OffloadOptions options, hwsim::Profile profile)
      : options_(std::move(options)), profile_(std::move(profile)) {}
  Ending RunOnCard(OperationHandle& operation);
  // This process's card; null: it cannot be had, and reason() says why.
  Machine* TheMachine();
  void PrintStatistics();
  static void StopAtFork();
  static void GoOnInParent();
  static void StartAnewInChild();

  OffloadOptions options_;
  const hwsim::Profile profile_;
  std::mutex mutex_;  // orders the making of the machine; held across fork()
  // Made once in each process and never freed. Acquire/release: who sees it sees it whole.
  std::atomic<Machine*> machine_{nullptr};
  // Stand alone: no order needed.
  std::atomic<uint64_t> software_{0};
  static constexpr uint64_t kNoLimit = UINT64_MAX;
  std::atomic<uint64_t> retries_max_{kNoLimit};
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_OFFLOAD_H_
