// Identities for tests of TLS servers, each made once, since making an RSA key takes longer than
// all handshakes of a test.
#ifndef GHOSTCARD_TESTS_TOOLS_TLS_TLS_TEST_IDENTITY_H_
#define GHOSTCARD_TESTS_TOOLS_TLS_TLS_TEST_IDENTITY_H_

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "tools/tls/tls_identity.h"

namespace tools::tls {

inline const TlsIdentity& Identity(TlsKey key) {
  static std::map<TlsKey, TlsIdentity> identities;
  const auto found = identities.find(key);
  if (found != identities.end()) return found->second;
  auto identity = TlsIdentity::Create(key);
  EXPECT_TRUE(identity) << identity.error().message;
  return identities.emplace(key, std::move(*identity)).first->second;
}

}  // namespace tools::tls

#endif  // GHOSTCARD_TESTS_TOOLS_TLS_TLS_TEST_IDENTITY_H_
