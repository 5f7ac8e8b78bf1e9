// UringTransport: requests are SQEs in a queue pair's own io_uring. MSG_RING carries them to the
// card's ring, and the completions back. The interrupt line is an eventfd registered with the queue
// pair's completion queue.
//
//   submitter -> host ring SQ --MSG_RING--> card ring CQ -> service thread
//   popper    <- host ring CQ <--MSG_RING-- card ring SQ <- service thread
//
// Threads: see transport.h. The rings have neither DEFER_TASKRUN nor SINGLE_ISSUER: any thread may
// submit, and a message is visible before its eventfd rises.
// Limits: a completion queue has at most 65536 entries, the kernel's bound. Messages beyond that
// wait in the kernel's overflow list and are delivered in order.
// fork: a child does not inherit the rings' memory (io_uring_ring_dontfork).
#ifndef GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_
#define GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_

#include <memory>
#include <string>

#include "hwsim/rings/transport.h"

namespace hwsim::rings {

// Error: one line that says what refused io_uring (UringRefusal).
Expected<std::unique_ptr<Transport>> CreateUringTransport(uint32_t queue_pairs, uint32_t depth);

// One line for people: io_uring was refused with `error_number`, and the likely cause.
// `disabled_sysctl` is the text of /proc/sys/kernel/io_uring_disabled, empty if there is no such
// file.
std::string UringRefusal(int error_number, std::string_view disabled_sysctl);

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_URING_TRANSPORT_H_
