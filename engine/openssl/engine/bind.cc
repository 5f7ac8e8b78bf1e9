// The ENGINE's way in: what OpenSSL's dynamic loader calls.
#include <openssl/engine.h>

#include <string>
#include <string_view>

#include "engine/openssl/engine/commands.h"
#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"

namespace {

constexpr const char* kId = "ghostcard";
constexpr const char* kAlias = "qatengine";  // what scripts written for that engine ask for

// The methods are the process's: keys of one binding may outlive it, and there may be several.
struct Methods {
  RSA_METHOD* rsa = engine::NewRsaMethod();
  EC_KEY_METHOD* ec = engine::NewEcMethod();
};
const Methods& TheMethods() {
  static const auto* const methods = [] {
    engine::SetAllThresholds(engine::Module::StandardSettings().offload);
    return new Methods;
  }();
  return *methods;
}

// The id of an engine that was asked for by `asked`: by a name, or by the path of a file, which is
// the id then. Null: it is not for us.
const char* IdFor(const char* asked) {
  if (asked == nullptr) return kId;
  std::string_view name = asked;
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
  auto started = engine::Module::Get().Start();
  if (!started) engine::RaiseError(started.error().message);
  return started ? 1 : 0;
}

int Bind(ENGINE* e, const char* id) {
  const char* const ours = IdFor(id);
  if (ours == nullptr) {
    engine::RaiseError(std::string("engine id '") + id + "' given; allowed: " + kId + ", " +
                       kAlias + ", or the path of the file");
    return 0;
  }
  const Methods& methods = TheMethods();
  const bool bound =
      methods.rsa != nullptr && methods.ec != nullptr && ENGINE_set_id(e, ours) == 1 &&
      ENGINE_set_name(e, "Ghostcard: an accelerator card that isn't there") == 1 &&
      ENGINE_set_init_function(e, Init) == 1 && ENGINE_set_ctrl_function(e, engine::Control) == 1 &&
      ENGINE_set_cmd_defns(e, engine::CommandTable()) == 1 && ENGINE_set_RSA(e, methods.rsa) == 1 &&
      ENGINE_set_EC(e, methods.ec) == 1 && ENGINE_set_digests(e, engine::Digests) == 1 &&
      ENGINE_set_ciphers(e, engine::Ciphers) == 1;
  return bound ? 1 : 0;
}

}  // namespace

extern "C" {
IMPLEMENT_DYNAMIC_CHECK_FN()
IMPLEMENT_DYNAMIC_BIND_FN(Bind)
}
