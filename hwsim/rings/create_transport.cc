#include "hwsim/rings/memory_transport.h"
#include "hwsim/rings/transport.h"
#include "hwsim/rings/uring_transport.h"

namespace hwsim::rings {

Expected<std::unique_ptr<Transport>> CreateTransport(TransportKind kind, uint32_t queue_pairs,
                                                     uint32_t depth, std::string* note) {
  note->clear();
  if (kind == TransportKind::kMemory) return CreateMemoryTransport(queue_pairs);
  auto uring = CreateUringTransport(queue_pairs, depth);
  if (uring || kind == TransportKind::kUring) return uring;
  *note = uring.error().message + "; using the memory transport";
  return CreateMemoryTransport(queue_pairs);
}

}  // namespace hwsim::rings
