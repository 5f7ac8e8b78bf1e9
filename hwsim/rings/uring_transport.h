// UringTransport: requests as SQEs in a queue pair's own io_uring, carried to the
// card's ring and back by MSG_RING. The queue pair's completion queue has an
// eventfd registered: its interrupt line.
//
//   submitter -> host ring SQ --MSG_RING--> card ring CQ -> service thread
//   drainer   <- host ring CQ <--MSG_RING-- card ring SQ <- service thread
//
// Threads: as transport.h says. The rings are plain ones (no DEFER_TASKRUN, no
// SINGLE_ISSUER): any thread may submit, and a message is visible before its
// eventfd rises.
// Limits: the kernel bounds a completion queue at 65536 entries; what the card's
// ring cannot hold waits in the kernel's overflow list and is delivered in order.
// fork: the rings' memory is not inherited (io_uring_ring_dontfork).
#ifndef GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_

#include <memory>
#include <string>

#include "hwsim/rings/transport.h"

namespace hwsim {

// Fails with one line that names what refused io_uring (UringRefusal).
Expected<std::unique_ptr<Transport>> CreateUringTransport(uint32_t queue_pairs, uint32_t depth);

// One line for a person: that io_uring was refused with `error_number`, and why that
// is likely. `disabled_sysctl` is the text of /proc/sys/kernel/io_uring_disabled,
// empty where there is none.
std::string UringRefusal(int error_number, std::string_view disabled_sysctl);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_
