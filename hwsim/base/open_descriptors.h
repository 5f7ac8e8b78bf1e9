// CountOpenDescriptors: how many file descriptors the process has open. A test or a simulation
// compares the counts before and after a run to find leaks.
//
// Threads: any. While other threads open or close descriptors, the count is approximate.
#ifndef GHOSTCARD_HWSIM_BASE_OPEN_DESCRIPTORS_H_
#define GHOSTCARD_HWSIM_BASE_OPEN_DESCRIPTORS_H_

#include <cstddef>

namespace hwsim {

// The entries of /proc/self/fd, without the descriptor that reading it takes. Returns 0 when the
// process has no descriptor left for reading it, or /proc is not mounted.
size_t CountOpenDescriptors();

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_OPEN_DESCRIPTORS_H_
