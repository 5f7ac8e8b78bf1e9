// A card behind libcrypto: a library context in which the ghostcard provider, built into this
// program, does whatever it offers.
#ifndef GHOSTCARD_TOOLS_TLS_CARD_H_
#define GHOSTCARD_TOOLS_TLS_CARD_H_

#include <cstdint>
#include <string>

#include "tools/bench.h"
#include "tools/tls_identity.h"

namespace tools {

struct TlsCardOptions {
  CardOptions card;     // all but its profile, which is given by
  std::string profile;  // the name of one that ships, or
  std::string config;   // a file, if not empty
  hwsim::CompletionMode completion = hwsim::CompletionMode::kInterrupt;
};

// Fails with what libcrypto says. The card lasts until the process ends, whatever becomes of the
// library context.
hwsim::Expected<OpensslPtr<OSSL_LIB_CTX>> LoadCard(const TlsCardOptions& options);

// A number that the ghostcard provider of `library` gives, as ghostcard-requests; 0: it is not
// there.
uint64_t CardCounter(OSSL_LIB_CTX* library, const char* name);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_CARD_H_
