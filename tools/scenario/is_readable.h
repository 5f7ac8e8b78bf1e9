// Whether a descriptor is readable now.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_SCENARIO_IS_READABLE_H_
#define GHOSTCARD_TOOLS_SCENARIO_IS_READABLE_H_

#include <poll.h>

namespace tools::scenario {

inline bool IsReadable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_IS_READABLE_H_
