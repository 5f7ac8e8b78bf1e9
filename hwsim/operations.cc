#include "hwsim/operations.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <zlib.h>

#include <algorithm>

#include "hwsim/check.h"

namespace hwsim {

namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;

const unsigned char* U8(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* U8(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// libcrypto as the card has it: a library context of its own, so that a program whose default
// context prefers a provider which submits here does not end up calling itself. Fetched once;
// never freed, because operations may run until the process ends.
struct Library {
  OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* provider = OSSL_PROVIDER_load(context, "default");
  EVP_MD* sha256 = EVP_MD_fetch(context, "SHA256", nullptr);
  EVP_CIPHER* aes128_gcm = EVP_CIPHER_fetch(context, "AES-128-GCM", nullptr);
  EVP_CIPHER* aes256_gcm = EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr);
};

const Library& TheLibrary() {
  static const Library* const library = new Library;
  GHOSTCARD_CHECK(library->provider != nullptr && library->sha256 != nullptr,
                  "libcrypto's default provider can be loaded");
  return *library;
}

// Leaves no trace in the thread's error queue, which belongs to the program around us.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

std::string LastLibcryptoError() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

// A copy of the caller's bytes. Every length further down then fits an int.
std::vector<std::byte> Own(Bytes bytes) {
  GHOSTCARD_CHECK(bytes.size() <= kInputBytesMax, "an input is at most 1 GiB");
  return {bytes.begin(), bytes.end()};
}

EVP_PKEY* AsPkey(void* key) { return static_cast<EVP_PKEY*>(key); }

std::string_view TypeName(PrivateKey::Type type) {
  switch (type) {
    case PrivateKey::Type::kRsa2048:
      return "RSA-2048";
    case PrivateKey::Type::kRsa4096:
      return "RSA-4096";
    case PrivateKey::Type::kEcdsaP256:
      return "P-256";
    case PrivateKey::Type::kX25519:
      break;
  }
  return "X25519";
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

}  // namespace

// --- buffers ---

SecretBytes::SecretBytes(Bytes bytes) : bytes_(Own(bytes)) {}
SecretBytes::~SecretBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Copy::Copy(Bytes input) : input_(Own(input)), output_(input.size()) {}

bool Copy::Execute() noexcept {
  std::copy(input_.begin(), input_.end(), output_.begin());
  return true;
}

// --- CRC-32C ---

namespace {

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t Crc32cByTable(uint32_t crc, Bytes bytes) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrc32cTable();
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<uint32_t>(byte)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t Crc32cBySse42(uint32_t crc, Bytes bytes) {
  uint64_t wide = crc;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    __builtin_memcpy(&word, &bytes[i], sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; i < bytes.size(); ++i) {
    crc = __builtin_ia32_crc32qi(crc, std::to_integer<unsigned char>(bytes[i]));
  }
  return crc;
}
#endif

}  // namespace

uint32_t Crc32c::ByTable(Bytes input, uint32_t seed) { return ~Crc32cByTable(~seed, input); }

bool Crc32c::HasInstruction() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#else
  return false;
#endif
}

uint32_t Crc32c::ByInstruction(Bytes input, uint32_t seed) {
  GHOSTCARD_CHECK(HasInstruction(), "the processor computes CRC-32C");
#if defined(__x86_64__)
  return ~Crc32cBySse42(~seed, input);
#else
  return ByTable(input, seed);
#endif
}

Crc32c::Crc32c(Bytes input, uint32_t seed) : input_(Own(input)), seed_(seed) {}

bool Crc32c::Execute() noexcept {
  result_ = HasInstruction() ? ByInstruction(input_, seed_) : ByTable(input_, seed_);
  return true;
}

// --- SHA-256 ---

Sha256::Sha256(Bytes input) : input_(Own(input)) {}

bool Sha256::Execute() noexcept {
  const ErrorMark mark;
  return EVP_Digest(input_.data(), input_.size(), U8(digest_.data()), nullptr, TheLibrary().sha256,
                    nullptr) == 1;
}

// --- AES-GCM ---

template <size_t kKeyBytes>
AesGcm<kKeyBytes>::AesGcm(Direction direction, std::span<const std::byte, kKeyBytes> key,
                          std::span<const std::byte, 12> iv, Bytes aad, Bytes input)
    : direction_(direction), key_(key), aad_(Own(aad)), input_(Own(input)) {
  std::copy(iv.begin(), iv.end(), iv_.begin());
  // A message too short to hold a tag has no output; Execute fails.
  output_.resize(direction == Direction::kEncrypt
                     ? input.size() + kTagBytes
                     : input.size() - std::min(input.size(), kTagBytes));
}

template <size_t kKeyBytes>
bool AesGcm<kKeyBytes>::Execute() noexcept {
  const ErrorMark mark;
  const bool encrypt = direction_ == Direction::kEncrypt;
  if (!encrypt && input_.size() < kTagBytes) return false;
  const Library& library = TheLibrary();
  const EVP_CIPHER* cipher = kKeyBytes == 16 ? library.aes128_gcm : library.aes256_gcm;
  const CipherContext context(EVP_CIPHER_CTX_new());
  const size_t text_size = encrypt ? input_.size() : input_.size() - kTagBytes;
  int length = 0;
  bool good = context != nullptr &&
              EVP_CipherInit_ex2(context.get(), cipher, U8(key_.view().data()), U8(iv_.data()),
                                 encrypt ? 1 : 0, nullptr) == 1 &&
              EVP_CipherUpdate(context.get(), nullptr, &length, U8(aad_.data()),
                               static_cast<int>(aad_.size())) == 1 &&
              EVP_CipherUpdate(context.get(), U8(output_.data()), &length, U8(input_.data()),
                               static_cast<int>(text_size)) == 1;
  if (good && !encrypt) {
    good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                               input_.data() + text_size) == 1;
  }
  std::array<unsigned char, 16> nothing{};
  good = good && EVP_CipherFinal_ex(context.get(), nothing.data(), &length) == 1;
  if (good && encrypt) {
    good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                               output_.data() + text_size) == 1;
  }
  // What did not authenticate is nobody's to read.
  if (!good) std::fill(output_.begin(), output_.end(), std::byte{0});
  return good;
}

template class AesGcm<16>;
template class AesGcm<32>;

// --- keys ---

PrivateKey::~PrivateKey() { EVP_PKEY_free(AsPkey(key_)); }

Expected<std::shared_ptr<const PrivateKey>> PrivateKey::Generate(Type type) {
  const ErrorMark mark;
  OSSL_LIB_CTX* const context = TheLibrary().context;
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
    return Unexpected("making a key, " + std::string(TypeName(type)) +
                      " wanted: " + LastLibcryptoError());
  }
  return std::shared_ptr<const PrivateKey>(new PrivateKey(type, key));
}

Expected<std::shared_ptr<const PrivateKey>> PrivateKey::FromPem(Type type, std::string_view pem) {
  const ErrorMark mark;
  if (pem.size() > kInputBytesMax) return Unexpected("reading a key from PEM: over 1 GiB given");
  const std::unique_ptr<BIO, Freer<BIO_free_all>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // An encrypted key is refused rather than asked for at the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  EVP_PKEY* key = bio == nullptr
                      ? nullptr
                      : PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_passphrase, nullptr,
                                                   TheLibrary().context, nullptr);
  if (key == nullptr) {
    return Unexpected("reading a key from PEM, " + std::string(TypeName(type)) +
                      " wanted: " + LastLibcryptoError());
  }
  std::shared_ptr<const PrivateKey> made(new PrivateKey(type, key));
  if (!IsOfType(key, type)) {
    const char* name = EVP_PKEY_get0_type_name(key);
    return Unexpected("reading a key from PEM: " + std::string(TypeName(type)) + " wanted, " +
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

// --- public-key operations ---

namespace {

constexpr PrivateKey::Type TypeFor(OperationKind kind) {
  return kind == OperationKind::kRsa2048Sign   ? PrivateKey::Type::kRsa2048
         : kind == OperationKind::kRsa4096Sign ? PrivateKey::Type::kRsa4096
                                               : PrivateKey::Type::kEcdsaP256;
}

}  // namespace

template <OperationKind kOperation>
Sign<kOperation>::Sign(std::shared_ptr<const PrivateKey> key, Bytes message)
    : key_(std::move(key)), message_(Own(message)) {
  GHOSTCARD_CHECK(key_ != nullptr && key_->type() == TypeFor(kOperation),
                  "the key is of the operation's type");
  signature_.resize(static_cast<size_t>(EVP_PKEY_get_size(AsPkey(key_->handle()))));
}

template <OperationKind kOperation>
bool Sign<kOperation>::Execute() noexcept {
  const ErrorMark mark;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY* const key = AsPkey(key_->handle());
  // An earlier run may have left a shorter signature.
  signature_.resize(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t length = signature_.size();
  const bool good = context != nullptr &&
                    EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", TheLibrary().context,
                                          nullptr, key, nullptr) == 1 &&
                    EVP_DigestSign(context.get(), U8(signature_.data()), &length,
                                   U8(message_.data()), message_.size()) == 1;
  // DER: an ECDSA signature may be shorter than the most it can be.
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
  OSSL_LIB_CTX* const library = TheLibrary().context;
  const std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> peer(
      EVP_PKEY_new_raw_public_key_ex(library, "X25519", nullptr, U8(peer_.data()), peer_.size()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, AsPkey(key_->handle()), nullptr));
  size_t length = secret_.size();
  const bool good =
      peer != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
      EVP_PKEY_derive(context.get(), U8(secret_.data()), &length) == 1 && length == secret_.size();
  // A secret of an earlier run, or half of one, is not to be taken for this one's.
  if (!good) OPENSSL_cleanse(secret_.data(), secret_.size());
  return good;
}

// --- deflate ---

Deflate::Deflate(Bytes input, int level) : input_(Own(input)), level_(level) {
  GHOSTCARD_CHECK(level >= 1 && level <= 9, "a deflate level is 1 to 9");
  output_.resize(::compressBound(input.size()));
}

bool Deflate::Execute() noexcept {
  constexpr int kRawDeflate = -15;  // a 32 KiB window, no header
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, level_, Z_DEFLATED, kRawDeflate, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return false;
  }
  output_.resize(::deflateBound(&stream, input_.size()));
  stream.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream.avail_in = static_cast<uInt>(input_.size());
  stream.next_out = reinterpret_cast<Bytef*>(output_.data());
  stream.avail_out = static_cast<uInt>(output_.size());
  const bool good = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  output_.resize(good ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return good;
}

}  // namespace hwsim
