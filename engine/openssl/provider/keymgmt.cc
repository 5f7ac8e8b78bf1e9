// Key management: RSA, RSA-PSS, EC, X25519, X448, Ed25519, Ed448. A key wraps an EVP_PKEY of the
// default provider in the provider's own library context. EVP_PKEY_fromdata and EVP_PKEY_export
// import and export keys, so keys can come from files and other providers and go to them.
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "engine/openssl/provider/provider.h"

namespace engine::openssl::provider {

namespace {

SharedPkeyContext NewContextByName(const char* type) {
  return Own(EVP_PKEY_CTX_new_from_name(Library(), type, nullptr));
}

bool Contains(const OSSL_PARAM params[], const char* name) {
  return OSSL_PARAM_locate_const(params, name) != nullptr;
}

// The parts of a key that `params` contain.
int PartsOf(const OSSL_PARAM params[]) {
  int parts = 0;
  if (Contains(params, OSSL_PKEY_PARAM_PRIV_KEY) || Contains(params, OSSL_PKEY_PARAM_RSA_D)) {
    parts |= OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
  }
  if (Contains(params, OSSL_PKEY_PARAM_PUB_KEY) || Contains(params, OSSL_PKEY_PARAM_RSA_N)) {
    parts |= OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
  }
  return parts;
}

template <const char* kType>
void* New(void* provctx) {
  return new Key{.provider = ProviderOf(provctx), .type = kType, .pkey = nullptr};
}

void Free(void* keydata) { delete static_cast<Key*>(keydata); }

int Has(const void* keydata, int selection) {
  if (keydata == nullptr) return 0;
  const Key& key = KeyOf(keydata);
  const int wanted = selection & OSSL_KEYMGMT_SELECT_KEYPAIR;
  if ((key.selection & wanted) != wanted) return 0;
  const bool needs_parameters =
      (selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0 && std::strcmp(key.type, "EC") == 0;
  return !needs_parameters || key.pkey != nullptr;
}

int Match(const void* one, const void* other, int selection) {
  const Key &a = KeyOf(one), &b = KeyOf(other);
  if (a.pkey == nullptr || b.pkey == nullptr) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
    return EVP_PKEY_eq(a.pkey.get(), b.pkey.get()) == 1;
  }
  return EVP_PKEY_parameters_eq(a.pkey.get(), b.pkey.get()) == 1;
}

int Validate(const void* keydata, int selection, int check_type) {
  const Key& key = KeyOf(keydata);
  if (key.pkey == nullptr) return 0;
  const SharedPkeyContext context = NewPkeyContext(key);
  if (context == nullptr) return 0;
  EVP_PKEY_CTX* const c = context.get();
  const int pair = selection & OSSL_KEYMGMT_SELECT_KEYPAIR;
  if (pair == OSSL_KEYMGMT_SELECT_KEYPAIR) return EVP_PKEY_pairwise_check(c) == 1;
  if (pair == OSSL_KEYMGMT_SELECT_PRIVATE_KEY) return EVP_PKEY_private_check(c) == 1;
  if (pair == OSSL_KEYMGMT_SELECT_PUBLIC_KEY) {
    return (check_type == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK ? EVP_PKEY_public_check_quick(c)
                                                            : EVP_PKEY_public_check(c)) == 1;
  }
  return EVP_PKEY_param_check(c) == 1;
}

SharedPkey FromData(const char* type, int selection, const OSSL_PARAM params[]) {
  const SharedPkeyContext context = NewContextByName(type);
  EVP_PKEY* pkey = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, selection, const_cast<OSSL_PARAM*>(params)) != 1) {
    return nullptr;
  }
  return Own(pkey);
}

int Import(void* keydata, int selection, const OSSL_PARAM params[]) {
  Key& key = *static_cast<Key*>(keydata);
  if (key.pkey != nullptr) return 0;
  key.pkey = FromData(key.type, selection, params);
  if (key.pkey == nullptr) return 0;
  key.selection = PartsOf(params) & selection;
  return 1;
}

int Export(void* keydata, int selection, OSSL_CALLBACK* callback, void* argument) {
  const Key& key = KeyOf(keydata);
  return key.pkey != nullptr && EVP_PKEY_export(key.pkey.get(), selection, callback, argument) == 1;
}

template <const char* kType>
const OSSL_PARAM* Types(int selection) {
  const SharedPkeyContext context = NewContextByName(kType);
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  return EVP_PKEY_fromdata_settable(context.get(), selection);  // a table of the default provider
}

void* Duplicate(const void* keydata, int selection) {
  const Key& from = KeyOf(keydata);
  auto copy = std::make_unique<Key>(Key{from.provider, from.type, nullptr, 0});
  if (from.pkey == nullptr) return copy.release();
  if ((selection & from.selection) == from.selection) {
    copy->pkey = Own(EVP_PKEY_dup(from.pkey.get()));
    copy->selection = from.selection;
    return copy->pkey != nullptr ? copy.release() : nullptr;
  }
  // Copy a part of the key. A type without domain parameters has nothing left without its keys.
  const auto import_into = [](const OSSL_PARAM params[], void* into) {
    Key& key = *static_cast<Key*>(into);
    if (params == nullptr || params->key == nullptr) return 1;
    return Import(&key,
                  OSSL_KEYMGMT_SELECT_ALL_PARAMETERS |
                      (PartsOf(params) != 0 ? OSSL_KEYMGMT_SELECT_KEYPAIR : 0),
                  params);
  };
  const bool has_parameters = std::strcmp(from.type, "EC") == 0;
  if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 && !has_parameters) return copy.release();
  if (EVP_PKEY_export(from.pkey.get(), selection, import_into, copy.get()) != 1) return nullptr;
  return copy.release();
}

// Answers the sizes of a key that is still empty, for types with one fixed size (RFC 7748, RFC
// 8032). libcrypto asks for them while the key is empty, and not again.
int GetSizes(const char* type, OSSL_PARAM params[]) {
  struct Sizes {
    const char* type;
    int bits, security_bits, bytes_max;
  };
  static constexpr std::array<Sizes, 4> kSizes = {{{"X25519", 253, 128, 32},
                                                   {"X448", 448, 224, 56},
                                                   {"ED25519", 256, 128, 64},
                                                   {"ED448", 456, 224, 114}}};
  for (const Sizes& sizes : kSizes) {
    if (std::strcmp(type, sizes.type) != 0) continue;
    for (const auto& [name, value] : {std::pair(OSSL_PKEY_PARAM_BITS, sizes.bits),
                                      std::pair(OSSL_PKEY_PARAM_SECURITY_BITS, sizes.security_bits),
                                      std::pair(OSSL_PKEY_PARAM_MAX_SIZE, sizes.bytes_max)}) {
      OSSL_PARAM* const param = OSSL_PARAM_locate(params, name);
      if (param != nullptr && OSSL_PARAM_set_int(param, value) != 1) return 0;
    }
  }
  return 1;
}

int GetParams(void* keydata, OSSL_PARAM params[]) {
  const Key& key = KeyOf(keydata);
  if (key.pkey == nullptr) return GetSizes(key.type, params);
  return EVP_PKEY_get_params(key.pkey.get(), params) == 1;
}

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM common[] = {
      OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, nullptr, 0),
      OSSL_PARAM_END};
  return common;
}

int SetParams(void* keydata, const OSSL_PARAM params[]) {
  Key& key = *static_cast<Key*>(keydata);
  if (params == nullptr || params->key == nullptr) return 1;
  if (key.pkey != nullptr) {
    // Change a copy if a call in flight may read the pkey.
    if (key.pkey.use_count() != 1) {
      key.pkey = Own(EVP_PKEY_dup(key.pkey.get()));
      if (key.pkey == nullptr) return 0;
    }
    if (EVP_PKEY_set_params(key.pkey.get(), const_cast<OSSL_PARAM*>(params)) != 1) return 0;
  } else {
    // An X25519 or X448 key of a peer is made from its encoded point only.
    const OSSL_PARAM* encoded = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    if (encoded == nullptr) return 0;
    const OSSL_PARAM made_of[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded->data, encoded->data_size),
        OSSL_PARAM_END};
    key.pkey = FromData(key.type, EVP_PKEY_PUBLIC_KEY, made_of);
    if (key.pkey == nullptr) return 0;
  }
  if (Contains(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) || PartsOf(params) != 0) {
    key.selection |= OSSL_KEYMGMT_SELECT_PUBLIC_KEY | PartsOf(params);
  }
  return 1;
}

const OSSL_PARAM* SettableParams(void*) {
  static const OSSL_PARAM settable[] = {
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0), OSSL_PARAM_END};
  return settable;
}

// --- making keys ---

struct Generation {
  Provider& provider;
  const char* type;
  int selection;
  SharedPkeyContext context;
};

bool Initialise(Generation& generation) {
  if (generation.context == nullptr) return false;
  const bool keys = (generation.selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  return (keys ? EVP_PKEY_keygen_init(generation.context.get())
               : EVP_PKEY_paramgen_init(generation.context.get())) == 1;
}

int GenSetParams(void* genctx, const OSSL_PARAM params[]) {
  auto& generation = *static_cast<Generation*>(genctx);
  return params == nullptr || params->key == nullptr ||
         EVP_PKEY_CTX_set_params(generation.context.get(), params) == 1;
}

void GenCleanup(void* genctx) { delete static_cast<Generation*>(genctx); }

template <const char* kType>
void* GenInit(void* provctx, int selection, const OSSL_PARAM params[]) {
  Provider& provider = ProviderOf(provctx);
  auto generation =
      std::make_unique<Generation>(Generation{provider, kType, selection, NewContextByName(kType)});
  if (!Initialise(*generation) || GenSetParams(generation.get(), params) != 1) return nullptr;
  return generation.release();
}

int GenSetTemplate(void* genctx, void* keydata) {
  auto& generation = *static_cast<Generation*>(genctx);
  const Key& key = KeyOf(keydata);
  if (key.pkey == nullptr) return 1;  // a type without parameters
  generation.context = NewPkeyContext(key);
  return Initialise(generation);
}

template <const char* kType>
const OSSL_PARAM* GenSettable(void*, void*) {
  const SharedPkeyContext context = NewContextByName(kType);
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
  return EVP_PKEY_CTX_settable_params(context.get());  // a table of the default provider
}

void* Generate(void* genctx, OSSL_CALLBACK*, void*) {
  auto& generation = *static_cast<Generation*>(genctx);
  auto key = std::make_unique<Key>(Key{generation.provider, generation.type, nullptr, 0});
  const bool keys = (generation.selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  const auto made = std::make_shared<SharedPkey>();
  const auto generate = [context = generation.context, made](CallBytes&) {
    EVP_PKEY* pkey = nullptr;
    if (EVP_PKEY_generate(context.get(), &pkey) != 1) return false;
    *made = Own(pkey);
    return true;
  };
  // Keys for key exchange cost one scalar multiplication. The card does not make RSA keys.
  const bool on_card = keys && std::strncmp(generation.type, "RSA", 3) != 0 &&
                       generation.provider.offload->options().key_exchange;
  if (on_card) {
    Operation<Call> operation(hwsim::operations::OperationKind::kX25519, 32, 0, generate);
    if (!MakeCall(*generation.provider.offload, operation)) return nullptr;
  } else {
    CallBytes nothing;
    if (!generate(nothing)) return nullptr;
  }
  key->pkey = std::move(*made);
  key->selection = keys ? OSSL_KEYMGMT_SELECT_KEYPAIR : 0;
  return key.release();
}

const char* QueryEc(int operation_id) {
  if (operation_id == OSSL_OP_KEYEXCH) return "ECDH";
  return operation_id == OSSL_OP_SIGNATURE ? "ECDSA" : nullptr;
}
const char* QueryRsa(int) { return "RSA"; }

constexpr char kRsaName[] = "RSA";
constexpr char kRsaPssName[] = "RSA-PSS";
constexpr char kEcName[] = "EC";
constexpr char kX25519Name[] = "X25519";
constexpr char kX448Name[] = "X448";
constexpr char kEd25519Name[] = "ED25519";
constexpr char kEd448Name[] = "ED448";

using QueryName = const char*(int operation_id);

// The dispatch table of the key type `kType`. `query_name` returns the name of an algorithm that
// uses such keys. Null: the algorithm has the name of the key type, so the table ends before that
// entry.
template <const char* kType>
std::array<OSSL_DISPATCH, 22> KeyManager(QueryName* query_name = nullptr) {
  return {{Entry(OSSL_FUNC_KEYMGMT_NEW, &New<kType>),
           Entry(OSSL_FUNC_KEYMGMT_FREE, &Free),
           Entry(OSSL_FUNC_KEYMGMT_HAS, &Has),
           Entry(OSSL_FUNC_KEYMGMT_MATCH, &Match),
           Entry(OSSL_FUNC_KEYMGMT_VALIDATE, &Validate),
           Entry(OSSL_FUNC_KEYMGMT_IMPORT, &Import),
           Entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, &Types<kType>),
           Entry(OSSL_FUNC_KEYMGMT_EXPORT, &Export),
           Entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, &Types<kType>),
           Entry(OSSL_FUNC_KEYMGMT_DUP, &Duplicate),
           Entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, &GetParams),
           Entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, &GettableParams),
           Entry(OSSL_FUNC_KEYMGMT_SET_PARAMS, &SetParams),
           Entry(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, &SettableParams),
           Entry(OSSL_FUNC_KEYMGMT_GEN_INIT, &GenInit<kType>),
           Entry(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, &GenSetTemplate),
           Entry(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, &GenSetParams),
           Entry(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, &GenSettable<kType>),
           Entry(OSSL_FUNC_KEYMGMT_GEN, &Generate),
           Entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, &GenCleanup),
           query_name != nullptr ? Entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, query_name)
                                 : OSSL_DISPATCH{0, nullptr},
           {0, nullptr}}};
}

const auto kRsa = KeyManager<kRsaName>(&QueryRsa);
const auto kRsaPss = KeyManager<kRsaPssName>(&QueryRsa);
const auto kEc = KeyManager<kEcName>(&QueryEc);
const auto kX25519 = KeyManager<kX25519Name>();
const auto kX448 = KeyManager<kX448Name>();
const auto kEd25519 = KeyManager<kEd25519Name>();
const auto kEd448 = KeyManager<kEd448Name>();

}  // namespace

SharedPkeyContext NewPkeyContext(const Key& key) {
  if (key.pkey == nullptr) return nullptr;
  return Own(EVP_PKEY_CTX_new_from_pkey(Library(), key.pkey.get(), nullptr));
}

hwsim::operations::OperationKind PrivateKeyKind(const Key& key) {
  if (std::strncmp(key.type, "RSA", 3) == 0) {
    return EVP_PKEY_get_bits(key.pkey.get()) <= 2048
               ? hwsim::operations::OperationKind::kRsa2048Sign
               : hwsim::operations::OperationKind::kRsa4096Sign;
  }
  return key.type[0] == 'X' ? hwsim::operations::OperationKind::kX25519
                            : hwsim::operations::OperationKind::kEcdsaP256Sign;
}

bool CopyOutput(const CallBytes& from, unsigned char* out, size_t* out_bytes,
                size_t out_bytes_max) {
  if (from.size() > out_bytes_max) {
    RaiseError("the output has " + std::to_string(from.size()) + " bytes; the buffer has " +
               std::to_string(out_bytes_max));
    return false;
  }
  std::memcpy(out, from.data(), from.size());
  *out_bytes = from.size();
  return true;
}

// All names of the default provider, so that a fetch by any of them can find this provider.
const OSSL_ALGORITHM kKeyManagers[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=ghostcard", kRsa.data(), "RSA"},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "provider=ghostcard", kRsaPss.data(), "RSA-PSS"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=ghostcard", kEc.data(), "EC"},
    {"X25519:1.3.101.110", "provider=ghostcard", kX25519.data(), "X25519"},
    {"X448:1.3.101.111", "provider=ghostcard", kX448.data(), "X448"},
    {"ED25519:1.3.101.112", "provider=ghostcard", kEd25519.data(), "Ed25519"},
    {"ED448:1.3.101.113", "provider=ghostcard", kEd448.data(), "Ed448"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace engine::openssl::provider
