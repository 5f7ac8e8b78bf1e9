#include "engine/openssl/provider/provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <string>

#include "engine/openssl/provider/ghostcard_poll.h"

namespace engine::openssl::provider {

OSSL_LIB_CTX* Library() {
  static OSSL_LIB_CTX* const library = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    if (made != nullptr && OSSL_PROVIDER_load(made, "default") == nullptr) {
      OSSL_LIB_CTX_free(made);
      made = nullptr;
    }
    return made;
  }();
  return library;
}

namespace {

// --- parameters ---

constexpr char kInFlight[] = "ghostcard-in-flight";
constexpr char kRequests[] = "ghostcard-requests";
constexpr char kCompletions[] = "ghostcard-completions";
constexpr char kRetries[] = "ghostcard-retries";
constexpr char kSoftware[] = "ghostcard-software";
constexpr char kGivenUp[] = "ghostcard-given-up";

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM gettable[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                                        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, nullptr, 0),
                                        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr),
                                        OSSL_PARAM_uint64(kInFlight, nullptr),
                                        OSSL_PARAM_uint64(kRequests, nullptr),
                                        OSSL_PARAM_uint64(kCompletions, nullptr),
                                        OSSL_PARAM_uint64(kRetries, nullptr),
                                        OSSL_PARAM_uint64(kSoftware, nullptr),
                                        OSSL_PARAM_uint64(kGivenUp, nullptr),
                                        OSSL_PARAM_END};
  return gettable;
}

int GetParams(void* provctx, OSSL_PARAM params[]) {
  const Offload::Stats stats = ProviderOf(provctx).offload->stats();
  const auto text = [&](const char* name, const char* value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_utf8_ptr(param, value) == 1;
  };
  const auto number = [&](const char* name, uint64_t value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_uint64(param, value) == 1;
  };
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return (status == nullptr || OSSL_PARAM_set_int(status, 1) == 1) &&
         text(OSSL_PROV_PARAM_NAME, "Ghostcard, a simulated accelerator card") &&
         text(OSSL_PROV_PARAM_VERSION, "0.1") && text(OSSL_PROV_PARAM_BUILDINFO, "0.1") &&
         number(kInFlight, stats.in_flight) && number(kRequests, stats.requests) &&
         number(kCompletions, stats.completions) && number(kRetries, stats.retries) &&
         number(kSoftware, stats.software) && number(kGivenUp, stats.given_up);
}

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_DIGEST:
      return kDigests;
    case OSSL_OP_CIPHER:
      return kCiphers;
    case OSSL_OP_MAC:
      return kMacs;
    case OSSL_OP_KDF:
      return kKdfs;
    case OSSL_OP_KEYMGMT:
      return kKeyManagers;
    case OSSL_OP_SIGNATURE:
      return kSignatures;
    case OSSL_OP_KEYEXCH:
      return kKeyExchanges;
    case OSSL_OP_ASYM_CIPHER:
      return kAsymmetricCiphers;
    default:
      return nullptr;
  }
}

// Requires: no object refers to the provider. The card continues to run: see Offload.
void TearDown(void* provctx) { delete &ProviderOf(provctx); }

const OSSL_DISPATCH kProvider[] = {Entry(OSSL_FUNC_PROVIDER_TEARDOWN, &TearDown),
                                   Entry(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, &GettableParams),
                                   Entry(OSSL_FUNC_PROVIDER_GET_PARAMS, &GetParams),
                                   Entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, &Query),
                                   Entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, &GetCapabilities),
                                   {0, nullptr}};

// --- settings ---

// Sets the options that the provider's section in openssl.cnf has.
hwsim::Expected<void> SetFromConfiguration(const OSSL_CORE_HANDLE* core,
                                           OSSL_FUNC_core_get_params_fn* get_params,
                                           OffloadOptions& options) {
  for (const std::string_view name : OffloadOptions::Names()) {
    const std::string key(name);
    char* value = nullptr;
    OSSL_PARAM wanted[] = {OSSL_PARAM_construct_utf8_ptr(key.c_str(), &value, 0),
                           OSSL_PARAM_construct_end()};
    if (get_params(core, wanted) != 1 || OSSL_PARAM_modified(wanted) == 0 || value == nullptr) {
      continue;
    }
    auto set = options.Set(name, value);
    if (!set) return set;
  }
  return {};
}

hwsim::Expected<Offload*> MakeOffload(const OSSL_CORE_HANDLE* core,
                                      OSSL_FUNC_core_get_params_fn* get_params) {
  OffloadOptions options;
  if (get_params != nullptr) {
    auto set = SetFromConfiguration(core, get_params, options);
    if (!set) return hwsim::Unexpected(set.error());
  }
  auto set = options.SetFromEnvironment();
  if (!set) return hwsim::Unexpected(set.error());
  if (Library() == nullptr)
    return hwsim::Unexpected("libcrypto's default provider cannot be loaded");
  return Offload::Create(options);
}

}  // namespace
}  // namespace engine::openssl::provider

extern "C" {

[[gnu::visibility("default")]] int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                      const OSSL_DISPATCH* in,
                                                      const OSSL_DISPATCH** out, void** provctx) {
  OSSL_FUNC_core_get_params_fn* get_params = nullptr;
  for (; in->function_id != 0; ++in) {
    if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS) get_params = OSSL_FUNC_core_get_params(in);
  }
  auto offload = engine::openssl::provider::MakeOffload(core, get_params);
  if (!offload) {
    engine::openssl::RaiseError(offload.error().message);
    return 0;
  }
  *provctx = new engine::openssl::provider::Provider{core, *offload};
  *out = engine::openssl::provider::kProvider;
  return 1;
}

[[gnu::visibility("default")]] size_t ghostcard_poll(size_t quota) {
  return engine::openssl::Offload::PollAll(quota);
}

[[gnu::visibility("default")]] size_t ghostcard_in_flight(void) {
  return engine::openssl::Offload::InFlightOfAll();
}
}
