// Checks on the card that tests of TLS servers share.
#ifndef GHOSTCARD_TESTS_TOOLS_TLS_TLS_CARD_CHECKS_H_
#define GHOSTCARD_TESTS_TOOLS_TLS_TLS_CARD_CHECKS_H_

#include <chrono>
#include <thread>

#include "engine/openssl/provider/ghostcard_poll.h"

namespace tools::tls {

// Waits, within a bound, until the card has completed every request, also those of freed
// connections.
inline bool AllRequestsComeBack() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (ghostcard_in_flight() != 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace tools::tls

#endif  // GHOSTCARD_TESTS_TOOLS_TLS_TLS_CARD_CHECKS_H_
