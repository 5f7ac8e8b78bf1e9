#include "engine/openssl/exit_gate.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace engine::openssl {

namespace {

thread_local bool is_application_thread = false;

// seq_cst on both: a user counts itself and then reads the state; a closer sets the state and then
// reads the count. So at least one of them sees the other.
enum class State : uint32_t { kOpen, kHeld, kClosed };
std::atomic<State> state{State::kOpen};
std::atomic<uint32_t> uses{0};

void WaitUntilUnused() {
  while (uses.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

}  // namespace

void ExitGate::NoteApplicationThread() { is_application_thread = true; }

ExitGate::LibcryptoUse::LibcryptoUse() : counted_(!is_application_thread) {
  if (!counted_) return;
  while (true) {
    uses.fetch_add(1, std::memory_order_seq_cst);
    const State now = state.load(std::memory_order_seq_cst);
    if (now == State::kOpen) return;
    uses.fetch_sub(1, std::memory_order_seq_cst);
    while (now == State::kClosed) ::pause();  // until the process has ended
    state.wait(State::kHeld, std::memory_order_relaxed);
  }
}

ExitGate::LibcryptoUse::~LibcryptoUse() {
  // Release: the closer sees everything that this thread did in libcrypto.
  if (counted_) uses.fetch_sub(1, std::memory_order_release);
}

void ExitGate::Close() {
  state.store(State::kClosed, std::memory_order_seq_cst);
  state.notify_all();
  WaitUntilUnused();
}

bool ExitGate::closed() { return state.load(std::memory_order_relaxed) == State::kClosed; }

void ExitGate::Hold() {
  State open = State::kOpen;
  if (state.compare_exchange_strong(open, State::kHeld, std::memory_order_seq_cst)) {
    WaitUntilUnused();
  }
}

void ExitGate::ReopenInParent() {
  State held = State::kHeld;
  if (state.compare_exchange_strong(held, State::kOpen, std::memory_order_seq_cst)) {
    state.notify_all();
  }
}

void ExitGate::ReopenInChild() {
  uses.store(0, std::memory_order_relaxed);  // the parent's card threads are not in the child
  State held = State::kHeld;
  state.compare_exchange_strong(held, State::kOpen, std::memory_order_relaxed);
}

}  // namespace engine::openssl
