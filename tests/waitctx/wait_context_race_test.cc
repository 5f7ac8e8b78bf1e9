// WaitContext between threads: no callback runs after Close() or after it was replaced, and no
// thread sees half a callback. Bounded by counts, not by time. Each test also asserts that the
// callbacks or pins that it watches did occur.
#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "waitctx/base/sanitizers.h"
#include "waitctx/wait_context.h"

namespace waitctx {
namespace {

constexpr int kRounds = kThreadSanitizer || kAddressSanitizer ? 300 : 2000;

// Runs each of `functions` on a thread of its own; they start together. The destructor joins them.
class Threads {
 public:
  template <typename... F>
  explicit Threads(F... functions) : waiting_(sizeof...(functions)) {
    (threads_.emplace_back([this, functions]() mutable {
      waiting_.fetch_sub(1);
      while (waiting_.load() != 0) std::this_thread::yield();
      functions();
    }),
     ...);
  }
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<size_t> waiting_;
  std::vector<std::thread> threads_;
};

// Counts the calls of its callback. `alive` is not atomic, so that tsan reports a callback that
// runs too late.
struct Listener {
  bool alive = true;
  std::atomic<int> calls{0};
  void WaitForCalls(int count) const {
    while (calls.load(std::memory_order_relaxed) < count) std::this_thread::yield();
  }
  static int Call(void* argument) {
    auto* self = static_cast<Listener*>(argument);
    EXPECT_TRUE(self->alive);
    self->calls.fetch_add(1, std::memory_order_relaxed);
    return 1;
  }
};

void Tell(WaitContext& context) {
  WaitContext::Pin pin(context);
  if (pin && pin.callback()) pin.callback().function(pin.callback().argument);
}

TEST(WaitContextRaceTest, NoCallbackRunsAfterClose) {
  for (int round = 0; round < kRounds; ++round) {
    const WaitContextRef context = WaitContext::Create();
    Listener listener;
    context->SetCallback({&Listener::Call, &listener});
    const int calls_before_close = round % 20;  // of 40: the other calls race with Close()
    const auto tell = [&] {
      for (int i = 0; i < 20; ++i) Tell(*context);
    };
    {
      Threads threads(tell, tell, [&] {
        listener.WaitForCalls(calls_before_close);
        context->Close();
        listener.alive = false;
      });
    }
    ASSERT_GE(listener.calls.load(), calls_before_close);
  }
}

TEST(WaitContextRaceTest, NoCallbackRunsAfterItWasReplaced) {
  const WaitContextRef context = WaitContext::Create();
  std::atomic<bool> stop{false};
  const auto tell = [&] {
    while (!stop.load(std::memory_order_relaxed)) Tell(*context);
  };
  int calls = 0;
  {
    Threads threads(tell, tell, tell, [&] {
      for (int round = 0; round < kRounds; ++round) {
        Listener listener;
        context->SetCallback({&Listener::Call, &listener});
        // In the other rounds, the replacement races with the first call.
        if (round % 100 == 0) listener.WaitForCalls(1);
        context->SetCallback({});
        listener.alive = false;
        calls += listener.calls.load();
      }
      stop = true;
    });
  }
  EXPECT_GE(calls, kRounds / 100);
}

int SelfA(void* argument) { return *static_cast<char*>(argument) == 'a' ? 1 : 0; }
int SelfB(void* argument) { return *static_cast<char*>(argument) == 'b' ? 1 : 0; }

TEST(WaitContextRaceTest, ACallbackIsNeverSeenByHalf) {
  const WaitContextRef context = WaitContext::Create();
  constexpr int kSeenMin = 100;
  char a = 'a', b = 'b';
  std::atomic<int> writers{2};
  std::atomic<int> seen{0};  // while both writers replace the callback
  const auto write = [&] {
    for (int round = 0; round < kRounds || seen.load() < kSeenMin; ++round) {
      context->SetCallback({&SelfA, &a});
      context->SetCallback({&SelfB, &b});
    }
    writers.fetch_sub(1);
  };
  {
    Threads threads(write, write, [&] {
      while (writers.load() != 0) {
        WaitContext::Pin pin(*context);
        if (pin.callback()) {
          EXPECT_EQ(pin.callback().function(pin.callback().argument), 1);
          ++seen;
        }
        const WaitContext::Callback unpinned = context->callback();
        if (unpinned) {
          EXPECT_EQ(unpinned.function(unpinned.argument), 1);
        }
      }
    });
  }
  EXPECT_GE(seen.load(), kSeenMin);
}

// A callback that replaces itself, on several threads at once, while another thread closes.
struct Replacing {
  WaitContext* context;
  std::atomic<int> calls{0};
  static int Call(void* argument) {
    auto* self = static_cast<Replacing*>(argument);
    self->context->SetCallback({&Replacing::Call, argument});
    self->calls.fetch_add(1);
    return 0;
  }
};

TEST(WaitContextRaceTest, CallbacksThatReplaceThemselvesDoNotWaitForEachOther) {
  for (int round = 0; round < kRounds; ++round) {
    const WaitContextRef context = WaitContext::Create();
    Replacing replacing{context.get()};
    context->SetCallback({&Replacing::Call, &replacing});
    const int calls_before_close = round % 10;  // of 20
    const auto tell = [&] {
      for (int i = 0; i < 10; ++i) Tell(*context);
    };
    {
      Threads threads(tell, tell, [&] {
        while (replacing.calls.load() < calls_before_close) std::this_thread::yield();
        context->SetCallback({&Replacing::Call, &replacing});
        context->Close();
      });
    }
    ASSERT_GE(replacing.calls.load(), calls_before_close);
  }
}

TEST(WaitContextRaceTest, CallbackMayCloseItsContext) {
  for (int round = 0; round < kRounds; ++round) {
    static std::atomic<int> calls;
    calls = 0;
    const WaitContextRef context = WaitContext::Create();
    const auto close = [](void* argument) {
      ++calls;
      static_cast<WaitContext*>(argument)->Close();
      return 0;
    };
    context->SetCallback({close, context.get()});
    const bool only_callbacks = round % 2 == 0;  // otherwise the third thread may close first
    const auto tell = [&] { Tell(*context); };
    {
      Threads threads(tell, tell, [&] {
        if (!only_callbacks) context->Close();
      });
    }
    ASSERT_TRUE(context->closed());
    if (only_callbacks) {
      ASSERT_GE(calls.load(), 1);
    }
  }
}

TEST(WaitContextRaceTest, TheLastOfManyReferencesCleansUpOnce) {
  for (int round = 0; round < kRounds; ++round) {
    static std::atomic<int> cleaned;
    cleaned = 0;
    WaitContextRef context = WaitContext::Create();
    context->SetWaitFd(nullptr, 1, nullptr,
                       [](async_wait_ctx_st*, const void*, int, void*) { ++cleaned; });
    {
      const auto drop = [copy = context]() mutable {
        copy->set_status(Status::kOk);
        { WaitContextRef another = copy; }
        copy = WaitContextRef();
      };
      const auto close = [copy = context]() mutable { copy.CloseAndReset(); };
      context = WaitContextRef();
      Threads threads(drop, drop, close);
    }
    EXPECT_EQ(cleaned, 1);
  }
}

TEST(WaitContextRaceTest, StatusPublishesWhatWasDoneBefore) {
  const WaitContextRef context = WaitContext::Create();
  int payload = 0;
  Threads threads(
      [&] {
        payload = 5;
        context->set_status(Status::kOk);
      },
      [&] {
        while (context->status() != static_cast<int>(Status::kOk)) std::this_thread::yield();
        EXPECT_EQ(payload, 5);
      });
}

TEST(WaitContextRaceTest, SetCallbackReturnsWhilePinsOverlapWithoutEnd) {
  // At any time one of two threads holds a pin: SetCallback must not wait until there is none.
  const WaitContextRef context = WaitContext::Create();
  std::atomic<bool> stop{false};
  std::atomic<int> turn{0};
  std::atomic<int> pins{0};
  const auto overlap = [&](int self) {
    while (!stop) {
      WaitContext::Pin pin(*context);
      ++pins;
      turn = 1 - self;  // this thread holds a pin, so the other may release its own
      while (turn != self && !stop) std::this_thread::yield();
    }
  };
  {
    Threads threads([&] { overlap(0); }, [&] { overlap(1); },
                    [&] {
                      while (pins.load() < 3) std::this_thread::yield();  // they overlap now
                      for (int i = 0; i < 50; ++i) context->SetCallback({&SelfA, nullptr});
                      stop = true;
                    });
  }
  EXPECT_GE(pins.load(), 3);
}

// The address sanitizer reports a pin that is released after its context is freed.
TEST(WaitContextRaceTest, PinOutlivesTheLastReferenceOfAnotherThread) {
  for (int round = 0; round < 2000; ++round) {
    auto context = WaitContext::Create();
    std::atomic<bool> pinned{false};
    std::thread teller([&pinned, raw = context.get()] {
      WaitContext::Pin pin(*raw);
      EXPECT_TRUE(pin);
      pinned.store(true);
      pinned.notify_one();
    });
    pinned.wait(false);
    context = {};
    teller.join();
  }
}

TEST(WaitContextRaceTest, CallbackMayFreeItsContext) {
  static int cleanups = 0;
  cleanups = 0;
  auto context = WaitContext::Create();
  context->SetWaitFd("key", -1, nullptr,
                     [](async_wait_ctx_st*, const void*, int, void*) { ++cleanups; });
  context->SetCallback({[](void* argument) {
                          static_cast<WaitContextRef*>(argument)->CloseAndReset();
                          return 0;
                        },
                        &context});
  {
    WaitContext::Pin pin(*context);
    pin.callback().function(pin.callback().argument);
    EXPECT_FALSE(context);
    EXPECT_EQ(cleanups, 1);
  }
  EXPECT_EQ(cleanups, 1);
}

}  // namespace
}  // namespace waitctx
