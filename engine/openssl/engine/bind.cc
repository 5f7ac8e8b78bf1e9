// The ENGINE's way in: what OpenSSL's dynamic loader calls.
#include <openssl/engine.h>

#include <cstring>

#include "engine/openssl/engine/commands.h"
#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"

namespace {

constexpr const char* kId = "ghostcard";
constexpr const char* kAlias = "qatengine";  // what scripts written for that engine ask for

RSA_METHOD* rsa_method;
EC_KEY_METHOD* ec_method;

int Init(ENGINE*) {
  auto started = engine::Module::Get().Start();
  if (!started) engine::RaiseError(started.error().message);
  return started ? 1 : 0;
}

int Destroy(ENGINE*) {
  RSA_meth_free(std::exchange(rsa_method, nullptr));
  EC_KEY_METHOD_free(std::exchange(ec_method, nullptr));
  return 1;
}

int Bind(ENGINE* e, const char* id) {
  if (id != nullptr && std::strcmp(id, kId) != 0 && std::strcmp(id, kAlias) != 0) return 0;
  if (rsa_method == nullptr) rsa_method = engine::NewRsaMethod();
  if (ec_method == nullptr) ec_method = engine::NewEcMethod();
  engine::SetDigestThresholds(engine::Module::Get().settings().offload);
  engine::SetCipherThresholds(engine::Module::Get().settings().offload);
  const bool bound =
      rsa_method != nullptr && ec_method != nullptr &&
      ENGINE_set_id(e, id != nullptr ? id : kId) == 1 &&
      ENGINE_set_name(e, "Ghostcard: an accelerator card that isn't there") == 1 &&
      ENGINE_set_init_function(e, Init) == 1 && ENGINE_set_destroy_function(e, Destroy) == 1 &&
      ENGINE_set_ctrl_function(e, engine::Control) == 1 &&
      ENGINE_set_cmd_defns(e, engine::CommandTable()) == 1 && ENGINE_set_RSA(e, rsa_method) == 1 &&
      ENGINE_set_EC(e, ec_method) == 1 && ENGINE_set_digests(e, engine::Digests) == 1 &&
      ENGINE_set_ciphers(e, engine::Ciphers) == 1;
  return bound ? 1 : 0;
}

}  // namespace

extern "C" {
IMPLEMENT_DYNAMIC_CHECK_FN()
IMPLEMENT_DYNAMIC_BIND_FN(Bind)
}
