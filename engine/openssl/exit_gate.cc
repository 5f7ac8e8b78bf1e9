#include "engine/openssl/exit_gate.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace engine {

namespace {

thread_local bool is_applications = false;

// seq_cst: of who begins and who closes, each says so first and looks at the other's word second.
std::atomic<bool> is_closed{false};
std::atomic<uint32_t> at_work{0};

}  // namespace

void ExitGate::NoteApplicationThread() { is_applications = true; }

ExitGate::AtWork::AtWork() : counted_(!is_applications) {
  if (!counted_) return;
  at_work.fetch_add(1, std::memory_order_seq_cst);
  if (!is_closed.load(std::memory_order_seq_cst)) return;
  at_work.fetch_sub(1, std::memory_order_seq_cst);
  while (true) ::pause();  // until the process is gone
}

ExitGate::AtWork::~AtWork() {
  // Release: what the thread did in libcrypto is over for who closes.
  if (counted_) at_work.fetch_sub(1, std::memory_order_release);
}

void ExitGate::Close() {
  is_closed.store(true, std::memory_order_seq_cst);
  while (at_work.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

bool ExitGate::closed() { return is_closed.load(std::memory_order_relaxed); }

void ExitGate::Reset() { at_work.store(0, std::memory_order_relaxed); }

}  // namespace engine
