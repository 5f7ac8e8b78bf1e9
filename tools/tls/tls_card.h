// LoadCard: a library context whose algorithms come from the ghostcard provider, which is built
// into this program.
//
// Threads: any, one at a time for each library context.
#ifndef GHOSTCARD_TOOLS_TLS_TLS_CARD_H_
#define GHOSTCARD_TOOLS_TLS_TLS_CARD_H_

#include <cstdint>
#include <string>

#include "tools/bench/bench.h"
#include "tools/tls/tls_identity.h"

namespace tools::tls {

struct TlsCardOptions {
  load::CardOptions card;  // its profile is not used; the two below choose it
  std::string profile;     // the name of a shipped profile
  std::string config;      // a file; takes precedence if not empty
  hwsim::completion::CompletionMode completion = hwsim::completion::CompletionMode::kInterrupt;
};

// Fails with the message of libcrypto. The card exists until the process ends, also after the
// library context is freed.
hwsim::Expected<LibraryPtr> LoadCard(const TlsCardOptions& options);

// A counter of the ghostcard provider of `library`, such as "ghostcard-requests"; 0: there is no
// such provider or counter.
uint64_t CardCounter(OSSL_LIB_CTX* library, const char* name);

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_CARD_H_
