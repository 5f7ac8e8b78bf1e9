// What tests of TLS servers with a card ask of it.
#ifndef GHOSTCARD_TESTS_TOOLS_TLS_CARD_CHECKS_H_
#define GHOSTCARD_TESTS_TOOLS_TLS_CARD_CHECKS_H_

#include <chrono>
#include <thread>

#include "engine/openssl/provider/ghostcard_poll.h"

namespace tools {

// Whether all requests come back, those that were given up too, within a bound.
inline bool NothingComesToBeInFlight() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (ghostcard_in_flight() != 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace tools

#endif  // GHOSTCARD_TESTS_TOOLS_TLS_CARD_CHECKS_H_
