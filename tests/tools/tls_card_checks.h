// What tests of TLS servers with a card ask of it.
#ifndef GHOSTCARD_TESTS_TOOLS_TLS_CARD_CHECKS_H_
#define GHOSTCARD_TESTS_TOOLS_TLS_CARD_CHECKS_H_

#include <openssl/params.h>
#include <openssl/provider.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

#include "engine/openssl/provider/ghostcard_poll.h"

namespace tools {

// A number that the ghostcard provider of `library` gives; 0: it is not there.
inline uint64_t CardCounter(OSSL_LIB_CTX* library, const char* name) {
  struct Question {
    const char* name;
    uint64_t answer = 0;
  } question{name};
  OSSL_PROVIDER_do_all(
      library,
      [](OSSL_PROVIDER* provider, void* argument) {
        if (std::strcmp(OSSL_PROVIDER_get0_name(provider), "ghostcard") != 0) return 1;
        auto& asked = *static_cast<Question*>(argument);
        OSSL_PARAM params[] = {OSSL_PARAM_construct_uint64(asked.name, &asked.answer),
                               OSSL_PARAM_construct_end()};
        OSSL_PROVIDER_get_params(provider, params);
        return 1;
      },
      &question);
  return question.answer;
}

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
