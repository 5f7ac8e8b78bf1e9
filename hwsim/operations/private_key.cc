#include "hwsim/operations/private_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string>
#include <utility>

#include "hwsim/base/check.h"
#include "hwsim/operations/libcrypto.h"

namespace hwsim::operations {

namespace {

EVP_PKEY* AsPkey(void* key) { return static_cast<EVP_PKEY*>(key); }

std::string TypeName(PrivateKey::Type type) {
  return std::string(EnumNames<PrivateKey::Type>::NameOf(type));
}

bool IsOfType(EVP_PKEY* key, PrivateKey::Type type) {
  switch (type) {
    case PrivateKey::Type::kRsa2048:
    case PrivateKey::Type::kRsa4096:
      return EVP_PKEY_is_a(key, "RSA") == 1 &&
             EVP_PKEY_get_bits(key) == (type == PrivateKey::Type::kRsa2048 ? 2048 : 4096);
    case PrivateKey::Type::kEcdsaP256: {
      std::array<char, 32> group{};
      size_t length = 0;
      return EVP_PKEY_is_a(key, "EC") == 1 &&
             EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
             std::string_view(group.data(), length) == "prime256v1";
    }
    case PrivateKey::Type::kX25519:
      break;
  }
  return EVP_PKEY_is_a(key, "X25519") == 1;
}

constexpr PrivateKey::Type TypeFor(OperationKind kind) {
  return kind == OperationKind::kRsa2048Sign   ? PrivateKey::Type::kRsa2048
         : kind == OperationKind::kRsa4096Sign ? PrivateKey::Type::kRsa4096
                                               : PrivateKey::Type::kEcdsaP256;
}

}  // namespace

PrivateKey::~PrivateKey() { EVP_PKEY_free(AsPkey(key_)); }

Expected<std::shared_ptr<const PrivateKey>> PrivateKey::Generate(Type type) {
  const ErrorMark mark;
  OSSL_LIB_CTX* const context = CardLibrary::Get().context;
  EVP_PKEY* key = nullptr;
  switch (type) {
    case Type::kRsa2048:
    case Type::kRsa4096:
      key = EVP_PKEY_Q_keygen(context, nullptr, "RSA",
                              size_t{type == Type::kRsa2048 ? 2048u : 4096u});
      break;
    case Type::kEcdsaP256:
      key = EVP_PKEY_Q_keygen(context, nullptr, "EC", "P-256");
      break;
    case Type::kX25519:
      key = EVP_PKEY_Q_keygen(context, nullptr, "X25519");
      break;
  }
  if (key == nullptr) {
    return Unexpected("making a key, " + TypeName(type) + " wanted: " + LastLibcryptoError());
  }
  return std::shared_ptr<const PrivateKey>(new PrivateKey(type, key));
}

Expected<std::shared_ptr<const PrivateKey>> PrivateKey::FromPem(Type type, std::string_view pem) {
  const ErrorMark mark;
  if (pem.size() > kInputBytesMax) return Unexpected("reading a key from PEM: over 1 GiB given");
  const std::unique_ptr<BIO, Freer<BIO_free_all>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without a callback, libcrypto would prompt at the terminal for an encrypted key's passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  EVP_PKEY* key = bio == nullptr
                      ? nullptr
                      : PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_passphrase, nullptr,
                                                   CardLibrary::Get().context, nullptr);
  if (key == nullptr) {
    return Unexpected("reading a key from PEM, " + TypeName(type) +
                      " wanted: " + LastLibcryptoError());
  }
  std::shared_ptr<const PrivateKey> made(new PrivateKey(type, key));
  if (!IsOfType(key, type)) {
    const char* name = EVP_PKEY_get0_type_name(key);
    return Unexpected("reading a key from PEM: " + TypeName(type) + " wanted, " +
                      std::string(name != nullptr ? name : "an unknown type") + " of " +
                      std::to_string(EVP_PKEY_get_bits(key)) + " bits given");
  }
  return made;
}

std::vector<std::byte> PrivateKey::PublicKey() const {
  const ErrorMark mark;
  if (type_ == Type::kX25519) {
    std::vector<std::byte> raw(32);
    size_t length = raw.size();
    GHOSTCARD_CHECK(EVP_PKEY_get_raw_public_key(AsPkey(key_), U8(raw.data()), &length) == 1,
                    "an X25519 key has a public part");
    return raw;
  }
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(AsPkey(key_), &der);
  GHOSTCARD_CHECK(length > 0, "a private key has a public part");
  const auto* first = reinterpret_cast<const std::byte*>(der);
  std::vector<std::byte> bytes(first, first + length);
  OPENSSL_free(der);
  return bytes;
}

template <OperationKind kOperation>
Sign<kOperation>::Sign(std::shared_ptr<const PrivateKey> key, Bytes message)
    : key_(std::move(key)), message_(CopyInput(message)) {
  GHOSTCARD_CHECK(key_ != nullptr && key_->type() == TypeFor(kOperation),
                  "the key is of the operation's type");
  signature_.resize(static_cast<size_t>(EVP_PKEY_get_size(AsPkey(key_->handle()))));
}

template <OperationKind kOperation>
bool Sign<kOperation>::Execute() noexcept {
  const ErrorMark mark;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY* const key = AsPkey(key_->handle());
  // An earlier call may have left a shorter signature.
  signature_.resize(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t length = signature_.size();
  const bool good = context != nullptr &&
                    EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256",
                                          CardLibrary::Get().context, nullptr, key, nullptr) == 1 &&
                    EVP_DigestSign(context.get(), U8(signature_.data()), &length,
                                   U8(message_.data()), message_.size()) == 1;
  // The DER encoding of an ECDSA signature has no fixed length.
  signature_.resize(good ? length : 0);
  return good;
}

template class Sign<OperationKind::kRsa2048Sign>;
template class Sign<OperationKind::kRsa4096Sign>;
template class Sign<OperationKind::kEcdsaP256Sign>;

X25519::X25519(std::shared_ptr<const PrivateKey> key, std::span<const std::byte, 32> peer)
    : key_(std::move(key)) {
  GHOSTCARD_CHECK(key_ != nullptr && key_->type() == PrivateKey::Type::kX25519,
                  "the key is an X25519 key");
  std::copy(peer.begin(), peer.end(), peer_.begin());
}

X25519::~X25519() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

bool X25519::Execute() noexcept {
  const ErrorMark mark;
  OSSL_LIB_CTX* const library = CardLibrary::Get().context;
  const PkeyPtr peer(
      EVP_PKEY_new_raw_public_key_ex(library, "X25519", nullptr, U8(peer_.data()), peer_.size()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, AsPkey(key_->handle()), nullptr));
  size_t length = secret_.size();
  const bool good =
      peer != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
      EVP_PKEY_derive(context.get(), U8(secret_.data()), &length) == 1 && length == secret_.size();
  // Otherwise the secret of an earlier call, or a part of one, could pass for this call's result.
  if (!good) OPENSSL_cleanse(secret_.data(), secret_.size());
  return good;
}

}  // namespace hwsim::operations
