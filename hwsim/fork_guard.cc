#include "hwsim/fork_guard.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "hwsim/check.h"

namespace hwsim {
namespace {

using Word = std::atomic<int>;

// This process's word, shared by all its guards. Per-process by nature: what it
// says is which process this is. A child that makes a guard finds its parent's word
// wiped and gets one of its own; the wiped one stays behind for the parent's guards.
std::atomic<Word*> process_word{nullptr};

// Where the kernel does not wipe pages. A child made without fork(), by a bare clone,
// then takes itself for its parent.
void WipeInChild() {
  // Relaxed: the child has one thread.
  process_word.load(std::memory_order_relaxed)->store(0, std::memory_order_relaxed);
}

Word* MakeWord() {
  const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GHOSTCARD_CHECK(page != MAP_FAILED, "no memory for one page");
  if (::madvise(page, size, MADV_WIPEONFORK) != 0) {
    // Twice at most: a child inherits the handler, and wiping twice does no harm.
    ::pthread_atfork(nullptr, nullptr, WipeInChild);
  }
  return new (page) Word(1);
}

const Word* ProcessWord() {
  // Acquire and release: the word is written before it is shown to other threads.
  Word* word = process_word.load(std::memory_order_acquire);
  if (word != nullptr && word->load(std::memory_order_relaxed) != 0) return word;
  Word* fresh = MakeWord();
  // Of two threads that come here together the second leaves a page unused.
  if (process_word.compare_exchange_strong(word, fresh, std::memory_order_acq_rel)) return fresh;
  return word;
}

}  // namespace

ForkGuard::ForkGuard() : word_(ProcessWord()) {}

}  // namespace hwsim
