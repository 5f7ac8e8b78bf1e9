#include "hwsim/base/fork_guard.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "hwsim/base/check.h"

namespace hwsim {
namespace {

using Word = std::atomic<int>;

// The word of this process, shared by all its guards: 1 in the process that wrote it, 0 in its
// children. It is a global because it identifies the process. A child that makes a guard finds its
// parent's word zeroed and gets a word of its own. The zeroed word stays for the guards that the
// child inherited.
std::atomic<Word*> process_word{nullptr};

// Zeroes the word in a child if the kernel cannot. fork() calls it; clone(2) does not.
void ZeroWordInChild() {
  // Relaxed: the child has one thread.
  process_word.load(std::memory_order_relaxed)->store(0, std::memory_order_relaxed);
}

Word* MakeWord() {
  const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GHOSTCARD_CHECK(page != MAP_FAILED, "there is memory for one page");
  if (::madvise(page, size, MADV_WIPEONFORK) != 0) {
    // A child inherits the handler and may register it again. Zeroing twice does no harm.
    ::pthread_atfork(nullptr, nullptr, ZeroWordInChild);
  }
  return new (page) Word(1);
}

const Word* ProcessWord() {
  // Acquire and release: other threads see the word's value when they see its address.
  Word* word = process_word.load(std::memory_order_acquire);
  if (word != nullptr && word->load(std::memory_order_relaxed) != 0) return word;
  Word* fresh = MakeWord();
  // If two threads arrive together, the second one's page stays unused.
  if (process_word.compare_exchange_strong(word, fresh, std::memory_order_acq_rel)) return fresh;
  return word;
}

}  // namespace

ForkGuard::ForkGuard() : word_(ProcessWord()) {}

}  // namespace hwsim
