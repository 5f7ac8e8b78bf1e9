// CardRig: a fixture with a card of any kind, with or without a completion service. It records
// which requests completed, how often and in what order.
//
// Threads: the test's thread drives it; the service's thread records completions.
#ifndef GHOSTCARD_TESTS_HWSIM_CARD_CARD_RIG_H_
#define GHOSTCARD_TESTS_HWSIM_CARD_CARD_RIG_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hwsim/base/open_descriptors.h"
#include "hwsim/card/real_card.h"
#include "hwsim/card/virtual_card.h"
#include "hwsim/completion/completion_service.h"

namespace hwsim::card {

enum class CardKind : uint8_t { kVirtual, kUring, kMemory };

struct RigParam {
  CardKind card = CardKind::kVirtual;
  completion::CompletionMode mode = completion::CompletionMode::kInline;
};

inline std::string RigName(const ::testing::TestParamInfo<RigParam>& info) {
  constexpr const char* kCards[] = {"virtual", "uring", "memory"};
  return std::string(kCards[static_cast<size_t>(info.param.card)]) + "_" +
         std::string(completion::CompletionModeName(info.param.mode));
}

// A request, its work, and what the test recorded about it.
struct Probe {
  operations::Request request;  // the first member: Of() casts a Request* to its probe
  std::atomic<int> completions{0};
  uint64_t order = 0;  // of completion, among all probes of a rig
  uint64_t input = 0;  // of Double()
  uint64_t result = 0;

  static Probe& Of(operations::Request& request) { return *reinterpret_cast<Probe*>(&request); }
  // Work for the card: sets result to 2 * input.
  static bool Double(operations::Request& request) noexcept {
    Of(request).result = 2 * Of(request).input;
    return true;
  }
  static bool Fail(operations::Request&) noexcept { return false; }
};

class CardRig : public ::testing::TestWithParam<RigParam> {
 protected:
  struct Setup {
    model::Profile profile;
    uint32_t queue_pairs = 1;
    uint32_t depth = 64;
    bool service = true;
  };

  // Creates the card. Skips the test where io_uring is refused.
  void Open(const Setup& setup) {
    if (GetParam().card == CardKind::kVirtual) {
      auto card = VirtualCard::Create({.profile = setup.profile,
                                       .queue_pairs = setup.queue_pairs,
                                       .depth = setup.depth,
                                       .seed = 7});
      ASSERT_TRUE(card) << card.error().message;
      virtual_card_ = card->get();
      card_ = std::move(*card);
    } else {
      const bool uring = GetParam().card == CardKind::kUring;
      auto card = RealCard::Create(
          {.profile = setup.profile,
           .queue_pairs = setup.queue_pairs,
           .depth = setup.depth,
           .transport = uring ? rings::TransportKind::kUring : rings::TransportKind::kMemory,
           .execution_threads = 2,
           .seed = 7});
      if (!card) {
        const int refusal = card.error().error_number;
        ASSERT_TRUE(refusal == EPERM || refusal == ENOSYS || refusal == ENOMEM)
            << card.error().message;
        GTEST_SKIP() << card.error().message;
      }
      card_ = std::move(*card);
    }
    if (setup.service) StartService({});
  }
  void StartService(completion::CompletionService::Options options) {
    options.mode = GetParam().mode;
    options.handler = [this](rings::QueuePair& queue_pair,
                             std::span<operations::Request* const> requests) {
      Record(queue_pair, requests);
    };
    auto service = completion::CompletionService::Create(*card_, std::move(options));
    ASSERT_TRUE(service) << service.error().message;
    service_ = std::move(*service);
  }
  void Close() {
    service_.reset();
    card_.reset();
  }
  void SetUp() override { open_files_ = CountOpenDescriptors(); }
  void TearDown() override {
    Close();
    EXPECT_EQ(CountOpenDescriptors(), open_files_) << "a descriptor leaked";
    EXPECT_FALSE(over_depth_.load()) << "more in flight than the queue pair is deep";
  }

  void Record(rings::QueuePair& queue_pair, std::span<operations::Request* const> requests) {
    if (requests.empty() || requests.size() > completion::CompletionService::kBurst) ADD_FAILURE();
    if (queue_pair.in_flight() > queue_pair.depth()) over_depth_.store(true);
    for (operations::Request* request : requests) {
      Probe& probe = Probe::Of(*request);
      probe.order = next_order_.fetch_add(1);
      probe.completions.fetch_add(1);
      recorded_.fetch_add(1);
    }
  }

  rings::QueuePair& queue_pair(size_t index = 0) { return *card_->queue_pairs()[index]; }
  operations::SubmitStatus Submit(Probe& probe, size_t index = 0) {
    const operations::SubmitStatus status = queue_pair(index).Submit(probe.request);
    if (status == operations::SubmitStatus::kOk) service_->NoteSubmitted();
    return status;
  }
  // Makes progress: the next event of a virtual card, one poll in inline mode.
  void Pump() {
    if (virtual_card_ != nullptr) virtual_card_->Step();
    if (service_ && GetParam().mode == completion::CompletionMode::kInline) service_->Poll();
    if (virtual_card_ == nullptr) std::this_thread::yield();
  }
  // Pumps until `predicate` holds. False: it did not hold after a minute, so something hangs.
  template <typename Predicate>
  bool WaitFor(Predicate predicate) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!predicate()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      Pump();
    }
    return true;
  }
  bool WaitForRecorded(uint64_t count) {
    return WaitFor([&] { return recorded_.load() >= count; });
  }
  static std::vector<operations::Request*> Pointers(std::deque<Probe>& probes) {
    std::vector<operations::Request*> pointers;
    for (Probe& probe : probes) pointers.push_back(&probe.request);
    return pointers;
  }
  // Expects all counts to agree, with nothing in flight.
  void ExpectAtRest(uint64_t completed) {
    uint64_t accepted = 0;
    for (const auto& queue_pair : card_->queue_pairs()) {
      const rings::QueuePair::Counts counts = queue_pair->counts();
      EXPECT_EQ(queue_pair->in_flight(), 0u);
      EXPECT_EQ(counts.accepted, counts.succeeded + counts.failed);
      accepted += counts.accepted;
    }
    EXPECT_EQ(accepted, completed);
    EXPECT_EQ(card_->stats().completed, completed);
    EXPECT_EQ(recorded_.load(), completed);
  }

  bool real() const { return virtual_card_ == nullptr; }

  // A profile whose operations take longer than any test.
  static model::Profile Endless() {
    model::Profile profile;
    for (model::OperationCost& cost : profile.operations) cost.service.base = std::chrono::hours(1);
    return profile;
  }

  std::unique_ptr<Card> card_;
  VirtualCard* virtual_card_ = nullptr;
  std::unique_ptr<completion::CompletionService> service_;
  std::atomic<uint64_t> recorded_{0};
  std::atomic<uint64_t> next_order_{0};
  std::atomic<bool> over_depth_{false};
  size_t open_files_ = 0;
};

#define OPEN_OR_SKIP(...) \
  Open(__VA_ARGS__);      \
  if (IsSkipped() || HasFatalFailure()) return

inline auto AllRigs() {
  using enum completion::CompletionMode;
  return ::testing::Values(
      RigParam{CardKind::kVirtual, kInline}, RigParam{CardKind::kUring, kInterrupt},
      RigParam{CardKind::kUring, kPolling}, RigParam{CardKind::kUring, kInline},
      RigParam{CardKind::kMemory, kInterrupt}, RigParam{CardKind::kMemory, kPolling},
      RigParam{CardKind::kMemory, kInline});
}

}  // namespace hwsim::card

#endif  // GHOSTCARD_TESTS_HWSIM_CARD_CARD_RIG_H_
