// WaitContext between threads: nobody is told after Close(), no callback runs after it was
// replaced, and nobody sees half a callback. Bounded by counts, not by time.
#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "waitctx/sanitizers.h"
#include "waitctx/wait_context.h"

namespace waitctx {
namespace {

constexpr int kRounds = kThreadSanitizer || kAddressSanitizer ? 300 : 2000;

// Starts a thread for each of `functions` and waits until all have begun.
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

// What a callback is told with. `alive` is plain: tsan sees a callback that runs too late.
struct Listener {
  bool alive = true;
  std::atomic<int> calls{0};
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

TEST(WaitContextRaceTest, NobodyIsToldAfterClose) {
  for (int round = 0; round < kRounds; ++round) {
    const WaitContextRef context = WaitContext::Create();
    Listener listener;
    context->SetCallback({&Listener::Call, &listener});
    const auto tell = [&] {
      for (int i = 0; i < 20; ++i) Tell(*context);
    };
    Threads threads(tell, tell, [&] {
      context->Close();
      listener.alive = false;
    });
  }
}

TEST(WaitContextRaceTest, NoCallbackRunsAfterItWasReplaced) {
  const WaitContextRef context = WaitContext::Create();
  std::atomic<bool> stop{false};
  const auto tell = [&] {
    while (!stop.load(std::memory_order_relaxed)) Tell(*context);
  };
  std::atomic<int> told{0};
  Threads threads(tell, tell, tell, [&] {
    for (int round = 0; round < kRounds; ++round) {
      Listener listener;
      context->SetCallback({&Listener::Call, &listener});
      context->SetCallback({});
      listener.alive = false;
      told += listener.calls.load();
    }
    stop = true;
  });
}

int SelfA(void* argument) { return *static_cast<char*>(argument) == 'a' ? 1 : 0; }
int SelfB(void* argument) { return *static_cast<char*>(argument) == 'b' ? 1 : 0; }

TEST(WaitContextRaceTest, ACallbackIsNeverSeenByHalf) {
  const WaitContextRef context = WaitContext::Create();
  char a = 'a', b = 'b';
  std::atomic<int> writers{2};
  const auto write = [&] {
    for (int round = 0; round < kRounds; ++round) {
      context->SetCallback({&SelfA, &a});
      context->SetCallback({&SelfB, &b});
    }
    writers.fetch_sub(1);
  };
  Threads threads(write, write, [&] {
    while (writers.load() != 0) {
      WaitContext::Pin pin(*context);
      if (pin.callback()) {
        EXPECT_EQ(pin.callback().function(pin.callback().argument), 1);
      }
      const WaitContext::Callback unpinned = context->callback();
      if (unpinned) {
        EXPECT_EQ(unpinned.function(unpinned.argument), 1);
      }
    }
  });
}

// A callback that replaces itself, on several threads at once, while another closes.
struct Replacing {
  WaitContext* context;
  static int Call(void* argument) {
    auto* self = static_cast<Replacing*>(argument);
    self->context->SetCallback({&Replacing::Call, argument});
    return 0;
  }
};

TEST(WaitContextRaceTest, CallbacksThatReplaceThemselvesDoNotWaitForEachOther) {
  for (int round = 0; round < kRounds; ++round) {
    const WaitContextRef context = WaitContext::Create();
    Replacing replacing{context.get()};
    context->SetCallback({&Replacing::Call, &replacing});
    const auto tell = [&] {
      for (int i = 0; i < 10; ++i) Tell(*context);
    };
    Threads threads(tell, tell, [&] {
      context->SetCallback({&Replacing::Call, &replacing});
      context->Close();
    });
  }
}

TEST(WaitContextRaceTest, CallbackMayCloseItsContext) {
  for (int round = 0; round < kRounds; ++round) {
    const WaitContextRef context = WaitContext::Create();
    const auto close = [](void* argument) {
      static_cast<WaitContext*>(argument)->Close();
      return 0;
    };
    context->SetCallback({close, context.get()});
    const auto tell = [&] { Tell(*context); };
    Threads threads(tell, tell, [&] { context->Close(); });
    // (The threads end before the context does.)
  }
}

TEST(WaitContextRaceTest, TheLastOfManyReferencesCleansUpOnce) {
  for (int round = 0; round < kRounds; ++round) {
    static std::atomic<int> cleaned;
    cleaned = 0;
    WaitContextRef context = WaitContext::Create();
    context->SetWaitFd(nullptr, 1, nullptr,
                       [](WaitContext*, const void*, int, void*) { ++cleaned; });
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

TEST(WaitContextRaceTest, SetCallbackEndsThoughPinsNeverDo) {
  // At any time one of two tellers holds a pin: waiting for none at all would never end.
  const WaitContextRef context = WaitContext::Create();
  std::atomic<bool> stop{false};
  std::atomic<int> turn{0};
  const auto overlap = [&](int self) {
    while (!stop) {
      WaitContext::Pin pin(*context);
      turn = 1 - self;  // holding mine, the other may let go
      while (turn != self && !stop) std::this_thread::yield();
    }
  };
  Threads threads([&] { overlap(0); }, [&] { overlap(1); },
                  [&] {
                    for (int i = 0; i < 50; ++i) context->SetCallback({&SelfA, nullptr});
                    stop = true;
                  });
}

// The address sanitizer sees a pin that is let go of after its context.
TEST(WaitContextRaceTest, PinOutlivesTheLastReferenceOfAnotherThread) {
  for (int round = 0; round < 2000; ++round) {
    auto context = WaitContext::Create();
    std::atomic<bool> pinned{false};
    std::thread teller([&pinned, raw = context.get()] {
      WaitContext::Pin pin(*raw);
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
  context->SetWaitFd("key", -1, nullptr, [](WaitContext*, const void*, int, void*) { ++cleanups; });
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
