// MemoryTransport: rings in shared memory, and eventfds that wake sleeping threads. For kernels and
// containers that refuse io_uring, and as the upper bound of speed.
//
// Threads: see transport.h. Limits: 1024 channels. Receive does not look at channels that have been
// quiet for a while.
#ifndef GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_

#include <memory>

#include "hwsim/rings/transport.h"

namespace hwsim::rings {

// Error: the process has no descriptors left.
Expected<std::unique_ptr<Transport>> CreateMemoryTransport(uint32_t queue_pairs);

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_
