// The ENGINE's entry points, which OpenSSL's dynamic loader calls.
#include <openssl/engine.h>

#include <string>
#include <string_view>

#include "engine/openssl/engine/commands.h"
#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"

namespace {

constexpr const char* kId = "ghostcard";
constexpr const char* kAlias =
    "qatengine";  // the id in scripts that were written for the QAT engine

// One set of methods for the process: a process may bind the ENGINE several times, and keys may
// outlive the binding that made them.
struct Methods {
  RSA_METHOD* rsa = engine::openssl::engine::NewRsaMethod();
  EC_KEY_METHOD* ec = engine::openssl::engine::NewEcMethod();
};
const Methods& GetMethods() {
  static const auto* const methods = [] {
    engine::openssl::engine::SetAllThresholds(
        engine::openssl::engine::Module::StandardSettings().offload);
    return new Methods;
  }();
  return *methods;
}

// The id for a binding that asks for `requested`: an id, or the path of the module's file. Null:
// the id belongs to another engine.
const char* IdFor(const char* requested) {
  if (requested == nullptr) return kId;
  std::string_view name = requested;
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) {
    name.remove_prefix(slash + 1);
    if (name.ends_with(".so")) name.remove_suffix(3);
    return name == kAlias ? kAlias : kId;
  }
  if (name == kId) return kId;
  return name == kAlias ? kAlias : nullptr;
}

int Init(ENGINE*) {
  auto started = engine::openssl::engine::Module::Get().Start();
  if (!started) engine::openssl::RaiseError(started.error().message);
  return started ? 1 : 0;
}

int Bind(ENGINE* e, const char* id) {
  const char* const bound_id = IdFor(id);
  if (bound_id == nullptr) {
    engine::openssl::RaiseError(std::string("engine id '") + id + "' given; allowed: " + kId +
                                ", " + kAlias + ", or the path of the file");
    return 0;
  }
  const Methods& methods = GetMethods();
  const bool bound = methods.rsa != nullptr && methods.ec != nullptr &&
                     ENGINE_set_id(e, bound_id) == 1 &&
                     ENGINE_set_name(e, "Ghostcard, a simulated accelerator card") == 1 &&
                     ENGINE_set_init_function(e, Init) == 1 &&
                     ENGINE_set_ctrl_function(e, engine::openssl::engine::Control) == 1 &&
                     ENGINE_set_cmd_defns(e, engine::openssl::engine::CommandTable()) == 1 &&
                     ENGINE_set_RSA(e, methods.rsa) == 1 && ENGINE_set_EC(e, methods.ec) == 1 &&
                     ENGINE_set_digests(e, engine::openssl::engine::Digests) == 1 &&
                     ENGINE_set_ciphers(e, engine::openssl::engine::Ciphers) == 1;
  return bound ? 1 : 0;
}

}  // namespace

extern "C" {
IMPLEMENT_DYNAMIC_CHECK_FN()
IMPLEMENT_DYNAMIC_BIND_FN(Bind)
}
