#include "engine/openssl/exit_gate.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace engine {

namespace {

thread_local bool is_applications = false;

// seq_cst: of who begins and who closes, each says so first and looks at the other's word second.
enum class State : uint32_t { kOpen, kHeld, kClosed };
std::atomic<State> state{State::kOpen};
std::atomic<uint32_t> at_work{0};

void WaitUntilIdle() {
  while (at_work.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

}  // namespace

void ExitGate::NoteApplicationThread() { is_applications = true; }

ExitGate::AtWork::AtWork() : counted_(!is_applications) {
  if (!counted_) return;
  while (true) {
    at_work.fetch_add(1, std::memory_order_seq_cst);
    const State now = state.load(std::memory_order_seq_cst);
    if (now == State::kOpen) return;
    at_work.fetch_sub(1, std::memory_order_seq_cst);
    while (now == State::kClosed) ::pause();  // until the process is gone
    state.wait(State::kHeld, std::memory_order_relaxed);
  }
}

ExitGate::AtWork::~AtWork() {
  // Release: what the thread did in libcrypto is over for who closes.
  if (counted_) at_work.fetch_sub(1, std::memory_order_release);
}

void ExitGate::Close() {
  state.store(State::kClosed, std::memory_order_seq_cst);
  state.notify_all();
  WaitUntilIdle();
}

bool ExitGate::closed() { return state.load(std::memory_order_relaxed) == State::kClosed; }

void ExitGate::Hold() {
  State open = State::kOpen;
  if (state.compare_exchange_strong(open, State::kHeld, std::memory_order_seq_cst)) WaitUntilIdle();
}

void ExitGate::GoOn() {
  State held = State::kHeld;
  if (state.compare_exchange_strong(held, State::kOpen, std::memory_order_seq_cst)) {
    state.notify_all();
  }
}

void ExitGate::StartAnew() {
  at_work.store(0, std::memory_order_relaxed);
  State held = State::kHeld;
  state.compare_exchange_strong(held, State::kOpen, std::memory_order_relaxed);
}

}  // namespace engine
