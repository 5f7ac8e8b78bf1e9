// GHOSTCARD_COVERAGE_MARK("name"): marks a rarely taken branch and counts how often it was taken. A
// tool that runs many simulations reads the counts and reports the branches that no simulation
// reached. The mark costs nothing off the branch, and one atomic addition on it.
//
// Use it in functions of .cc files, not in templates: each mark is one object in a section that the
// linker gathers. Each name is unique and says what happened: "a granted slot was not there".
//
// Threads: any. Limits: the marks of one program or shared library; another library has its own.
#ifndef GHOSTCARD_HWSIM_BASE_COVERAGE_MARK_H_
#define GHOSTCARD_HWSIM_BASE_COVERAGE_MARK_H_

#include <atomic>
#include <cstdint>
#include <span>

namespace hwsim {

// Its size equals its alignment, so that the marks form an array in the section.
struct alignas(16) CoverageMark {
  const char* name;
  std::atomic<uint64_t> reached;  // relaxed: nothing else depends on the count
};
static_assert(sizeof(CoverageMark) == 16);

// All marks of this program or library, including those with a count of 0, in no particular order.
std::span<const CoverageMark> CoverageMarks();

}  // namespace hwsim

#define GHOSTCARD_COVERAGE_MARK(mark_name)                                                   \
  do {                                                                                       \
    [[gnu::section("ghostcard_coverage_mark")]] static constinit ::hwsim::CoverageMark mark{ \
        mark_name, {0}};                                                                     \
    mark.reached.fetch_add(1, std::memory_order_relaxed);                                    \
  } while (false)

#endif  // GHOSTCARD_HWSIM_BASE_COVERAGE_MARK_H_
