// The groups for key exchange in TLS that this provider's keys support. libssl takes groups only
// from the provider whose keys it will use, so a server that prefers this provider needs this list.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>

#include <array>
#include <cstring>

#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

// Numbers and strengths: RFC 8446, 4.2.7, and NIST SP 800-57.
struct Group {
  const char* name;           // in TLS
  const char* internal_name;  // in libcrypto
  const char* algorithm;
  unsigned int id;
  unsigned int security_bits;
};
constexpr std::array kGroups = {
    Group{"secp256r1", "prime256v1", "EC", 23, 128}, Group{"secp384r1", "secp384r1", "EC", 24, 192},
    Group{"secp521r1", "secp521r1", "EC", 25, 256},  Group{"x25519", "X25519", "X25519", 29, 128},
    Group{"x448", "X448", "X448", 30, 224},
};

bool Announce(const Group& group, OSSL_CALLBACK* callback, void* argument) {
  unsigned int id = group.id;
  unsigned int security_bits = group.security_bits;
  int tls_min = TLS1_VERSION;
  int dtls_min = DTLS1_VERSION;
  int no_max = 0;
  unsigned int is_kem = 0;
  const auto text = [](const char* key, const char* value) {
    return OSSL_PARAM_construct_utf8_string(key, const_cast<char*>(value), std::strlen(value) + 1);
  };
  const std::array params = {
      text(OSSL_CAPABILITY_TLS_GROUP_NAME, group.name),
      text(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, group.internal_name),
      text(OSSL_CAPABILITY_TLS_GROUP_ALG, group.algorithm),
      OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &id),
      OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &security_bits),
      OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &tls_min),
      OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &no_max),
      OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &dtls_min),
      OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &no_max),
      OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem),
      OSSL_PARAM_construct_end(),
  };
  return callback(params.data(), argument) == 1;
}

}  // namespace

int GetCapabilities(void*, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  if (std::strcmp(capability, "TLS-GROUP") != 0) return 0;
  for (const Group& group : kGroups) {
    if (!Announce(group, callback, argument)) return 0;
  }
  return 1;
}

}  // namespace engine::openssl::provider
