// GHOSTCARD_RARE("name"): marks a rare branch, so that whoever runs many simulations can tell
// whether they ever got there. Off the branch it costs nothing; on it, one addition.
//
// In functions of .cc files only, and not in templates: each mark is one object of the linker's
// section. Names are unique: "a granted slot was not there".
// Threads: any. Limits: what is linked into this program or shared library counts, and no other.
#ifndef GHOSTCARD_HWSIM_RARE_H_
#define GHOSTCARD_HWSIM_RARE_H_

#include <atomic>
#include <cstdint>
#include <span>

namespace hwsim {

// As large as its alignment: in the section they lie one behind the other.
struct alignas(16) RareMark {
  const char* name;
  std::atomic<uint64_t> reached;  // relaxed: a counter that stands alone
};
static_assert(sizeof(RareMark) == 16);

// All that there are, reached or not; in no order that means anything.
std::span<const RareMark> RareMarks();

}  // namespace hwsim

#define GHOSTCARD_RARE(mark_name)                                                               \
  do {                                                                                          \
    [[gnu::section("ghostcard_rare")]] static constinit ::hwsim::RareMark mark{mark_name, {0}}; \
    mark.reached.fetch_add(1, std::memory_order_relaxed);                                       \
  } while (false)

#endif  // GHOSTCARD_HWSIM_RARE_H_
