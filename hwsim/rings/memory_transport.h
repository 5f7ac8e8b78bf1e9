// MemoryTransport: rings in shared memory, eventfds for whoever sleeps. For
// kernels and containers that refuse io_uring, and as the ceiling for speed.
//
// Threads: as transport.h says. Limits: 1024 channels. A look for requests
// costs nothing for channels that have been quiet for a while.
#ifndef GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_

#include <memory>

#include "hwsim/rings/transport.h"

namespace hwsim {

// Fails when the process is out of descriptors.
Expected<std::unique_ptr<Transport>> CreateMemoryTransport(uint32_t queue_pairs);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_MEMORY_TRANSPORT_H_
