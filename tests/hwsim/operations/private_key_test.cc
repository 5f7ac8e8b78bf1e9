// Private keys, signatures and X25519, against the standards' vectors and against libcrypto's
// default library context.
#include "hwsim/operations/private_key.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/hwsim/operations/hex.h"

namespace hwsim::operations {
namespace {

using Type = PrivateKey::Type;
using Key = std::shared_ptr<const PrivateKey>;

constexpr Type kTypes[] = {Type::kRsa2048, Type::kRsa4096, Type::kEcdsaP256, Type::kX25519};

template <Type kType>
const Key& Generated() {
  static const Key key = PrivateKey::Generate(kType).value();
  return key;
}

// One key of each type for all tests, because making an RSA key is slow.
const Key& KeyOf(Type type) {
  switch (type) {
    case Type::kRsa2048:
      return Generated<Type::kRsa2048>();
    case Type::kRsa4096:
      return Generated<Type::kRsa4096>();
    case Type::kEcdsaP256:
      return Generated<Type::kEcdsaP256>();
    case Type::kX25519:
      break;
  }
  return Generated<Type::kX25519>();
}

const unsigned char* U8(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
EVP_PKEY* Handle(const PrivateKey& key) { return static_cast<EVP_PKEY*>(key.handle()); }

std::string Taken(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string Pkcs8Pem(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  BIO* const bio = BIO_new(BIO_s_mem());
  const char* const passphrase = cipher != nullptr ? "secret" : nullptr;
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, passphrase,
                                          passphrase != nullptr ? 6 : 0, nullptr, nullptr),
            1);
  return Taken(bio);
}

std::string TraditionalPem(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PrivateKey_traditional(bio, key, cipher,
                                                 reinterpret_cast<const unsigned char*>("secret"),
                                                 cipher != nullptr ? 6 : 0, nullptr, nullptr),
            1);
  return Taken(bio);
}

std::string PemOf(const std::string& label, const std::string& der_hex) {
  const std::vector<std::byte> der = FromHex(der_hex);
  std::vector<unsigned char> base64(4 * (der.size() + 2) / 3 + 8);
  EVP_EncodeBlock(base64.data(), U8(der), static_cast<int>(der.size()));
  std::string text(reinterpret_cast<const char*>(base64.data()));
  for (size_t at = 64; at < text.size(); at += 65) text.insert(at, "\n");
  return "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n";
}

std::string MessageOf(Type type, const std::string& pem) {
  const auto key = PrivateKey::FromPem(type, pem);
  return key ? "a key" : key.error().message;
}

// Verifies as another program would: with the public key alone, in the default library context.
bool Verifies(const PrivateKey& key, Bytes message, Bytes signature) {
  const std::vector<std::byte> der = key.PublicKey();
  const unsigned char* next = U8(der);
  EVP_PKEY* const public_key = d2i_PUBKEY(nullptr, &next, static_cast<long>(der.size()));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool good =
      public_key != nullptr &&
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, public_key) == 1 &&
      EVP_DigestVerify(context, U8(signature), signature.size(), U8(message), message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public_key);
  ERR_clear_error();
  return good;
}

// --- signatures ---

template <typename Signer>
class SignTest : public ::testing::Test {
 public:
  static const Key& TheKey() {
    return KeyOf(Signer::kKind == OperationKind::kRsa2048Sign   ? Type::kRsa2048
                 : Signer::kKind == OperationKind::kRsa4096Sign ? Type::kRsa4096
                                                                : Type::kEcdsaP256);
  }
};

class SignerNames {
 public:
  template <typename Signer>
  static std::string GetName(int) {
    return std::string(OperationName(Signer::kKind));
  }
};
using Signers = ::testing::Types<Rsa2048Sign, Rsa4096Sign, EcdsaP256Sign>;
TYPED_TEST_SUITE(SignTest, Signers, SignerNames);

TYPED_TEST(SignTest, SignatureVerifiesInTheDefaultLibraryContext) {
  for (const std::string& message : {std::string(), std::string("abc"), std::string(10'000, 'x')}) {
    TypeParam sign(this->TheKey(), AsBytes(message));
    EXPECT_EQ(sign.size_bytes(), message.size());
    ASSERT_TRUE(sign.Execute());
    EXPECT_TRUE(Verifies(*this->TheKey(), AsBytes(message), sign.signature()));
    EXPECT_FALSE(Verifies(*this->TheKey(), AsBytes(message + "!"), sign.signature()));
    EXPECT_EQ(sign.output().data(), sign.signature().data());
  }
}

TYPED_TEST(SignTest, ExecutedAgainStillVerifies) {
  // ECDSA signatures differ in length. A short one must not shorten the buffer for the next.
  TypeParam sign(this->TheKey(), AsBytes("abc"));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(sign.Execute());
    ASSERT_TRUE(Verifies(*this->TheKey(), AsBytes("abc"), sign.signature()));
  }
}

TYPED_TEST(SignTest, KeyOutlivesItsOwnersHandle) {
  Key key = PrivateKey::FromPem(this->TheKey()->type(), Pkcs8Pem(Handle(*this->TheKey()))).value();
  TypeParam sign(key, AsBytes("abc"));
  key.reset();
  ASSERT_TRUE(sign.Execute());
  EXPECT_TRUE(Verifies(*this->TheKey(), AsBytes("abc"), sign.signature()));
}

TYPED_TEST(SignTest, OneKeySignsOnManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        TypeParam sign(this->TheKey(), AsBytes("abc"));
        EXPECT_TRUE(sign.Execute());
        EXPECT_TRUE(Verifies(*this->TheKey(), AsBytes("abc"), sign.signature()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TYPED_TEST(SignTest, LeavesTheThreadsErrorQueueAsItWas) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  const unsigned long before = ERR_peek_last_error();
  TypeParam sign(this->TheKey(), AsBytes("abc"));
  ASSERT_TRUE(sign.Execute());
  EXPECT_EQ(ERR_get_error(), before);
  EXPECT_EQ(ERR_get_error(), 0u);
}

TEST(SignDeathTest, KeyIsOfTheOperationsType) {
  // The keys are made here, because otherwise each death test's child would make its own.
  for (const Type type : kTypes) KeyOf(type);
  EXPECT_DEATH(Rsa2048Sign(KeyOf(Type::kRsa4096), {}), "the key is of the operation's type");
  EXPECT_DEATH(EcdsaP256Sign(KeyOf(Type::kX25519), {}), "the key is of the operation's type");
  EXPECT_DEATH(Rsa2048Sign(nullptr, {}), "the key is of the operation's type");
}

TEST(SignDeathTest, MessageOverTheLimitIsRefusedAndNotCutShort) {
  const std::byte byte{};
  const Bytes large(&byte, kInputBytesMax + 1);
  const Key& key = KeyOf(Type::kEcdsaP256);
  EXPECT_DEATH(EcdsaP256Sign(key, large), "an input is at most 1 GiB");
}

// Recomputes what RFC 8017 (9.2) says of an RSA signature s: s^e mod n is the padded digest.
TEST(RsaSignTest, RsaSignatureIsThePaddedDigestOfRfc8017) {
  const Key& key = KeyOf(Type::kRsa2048);
  Rsa2048Sign sign(key, AsBytes("abc"));
  ASSERT_TRUE(sign.Execute());
  ASSERT_EQ(sign.signature().size(), 256u);
  BIGNUM* n = nullptr;
  BIGNUM* e = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(Handle(*key), OSSL_PKEY_PARAM_RSA_N, &n), 1);
  ASSERT_EQ(EVP_PKEY_get_bn_param(Handle(*key), OSSL_PKEY_PARAM_RSA_E, &e), 1);
  BN_CTX* const context = BN_CTX_new();
  BIGNUM* const s = BN_bin2bn(U8(sign.signature()), 256, nullptr);
  ASSERT_EQ(BN_mod_exp(s, s, e, n, context), 1);
  std::vector<std::byte> padded(256);
  ASSERT_EQ(BN_bn2binpad(s, reinterpret_cast<unsigned char*>(padded.data()), 256), 256);
  for (BIGNUM* number : {n, e, s}) BN_free(number);
  BN_CTX_free(context);
  std::string filling;
  for (int i = 0; i < 202; ++i) filling += "ff";
  EXPECT_EQ(ToHex(padded), "0001" + filling + "003031300d060960864801650304020105000420" +
                               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// --- keys ---

// RFC 6979, A.2.5.
TEST(PrivateKeyTest, P256PublicKeyAgreesWithRfc6979) {
  const std::string x = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
  const std::string point =
      "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
  const auto key = PrivateKey::FromPem(
      Type::kEcdsaP256, PemOf("EC PRIVATE KEY", "30310201010420" + x + "a00a06082a8648ce3d030107"));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_TRUE(ToHex((*key)->PublicKey()).ends_with(point));
  EcdsaP256Sign sign(*key, AsBytes("sample"));
  ASSERT_TRUE(sign.Execute());
  EXPECT_TRUE(Verifies(**key, AsBytes("sample"), sign.signature()));
}

TEST(PrivateKeyTest, IsReadFromBothFormsOfPem) {
  for (const Type type : kTypes) {
    const Key& key = KeyOf(type);
    const auto modern = PrivateKey::FromPem(type, Pkcs8Pem(Handle(*key)));
    ASSERT_TRUE(modern) << modern.error().message;
    EXPECT_EQ((*modern)->type(), type);
    EXPECT_EQ((*modern)->PublicKey(), key->PublicKey());
    if (type == Type::kX25519) continue;  // X25519 has no traditional form
    const auto traditional = PrivateKey::FromPem(type, TraditionalPem(Handle(*key)));
    ASSERT_TRUE(traditional) << traditional.error().message;
    EXPECT_EQ((*traditional)->PublicKey(), key->PublicKey());
  }
}

TEST(PrivateKeyTest, KeyOfAnotherTypeIsRefusedByName) {
  const std::string rsa2048 = Pkcs8Pem(Handle(*KeyOf(Type::kRsa2048)));
  const std::string x25519 = Pkcs8Pem(Handle(*KeyOf(Type::kX25519)));
  const std::string p256 = Pkcs8Pem(Handle(*KeyOf(Type::kEcdsaP256)));
  EXPECT_EQ(MessageOf(Type::kRsa4096, rsa2048),
            "reading a key from PEM: RSA-4096 wanted, RSA of 2048 bits given");
  EXPECT_EQ(MessageOf(Type::kRsa2048, x25519),
            "reading a key from PEM: RSA-2048 wanted, X25519 of 253 bits given");
  EXPECT_EQ(MessageOf(Type::kX25519, p256),
            "reading a key from PEM: X25519 wanted, EC of 256 bits given");
  EVP_PKEY* const p384 = EVP_EC_gen("P-384");
  EXPECT_EQ(MessageOf(Type::kEcdsaP256, Pkcs8Pem(p384)),
            "reading a key from PEM: P-256 wanted, EC of 384 bits given");
  EVP_PKEY_free(p384);
}

TEST(PrivateKeyTest, EncryptedPemIsRefusedWithoutAsking) {
  // With a prompt for the passphrase, this test would hang.
  for (const Type type : {Type::kRsa2048, Type::kEcdsaP256}) {
    EVP_PKEY* const key = Handle(*KeyOf(type));
    EXPECT_FALSE(PrivateKey::FromPem(type, Pkcs8Pem(key, EVP_aes_128_cbc())));
    EXPECT_FALSE(PrivateKey::FromPem(type, TraditionalPem(key, EVP_aes_128_cbc())));
  }
}

TEST(PrivateKeyTest, TextWithoutAPrivateKeyIsRefusedWithAReason) {
  const std::string pem = Pkcs8Pem(Handle(*KeyOf(Type::kRsa2048)));
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, Handle(*KeyOf(Type::kRsa2048)));
  for (const std::string& text :
       {std::string(), std::string("no PEM"), pem.substr(0, pem.size() / 2), Taken(bio)}) {
    const std::string message = MessageOf(Type::kRsa2048, text);
    EXPECT_TRUE(message.starts_with("reading a key from PEM, RSA-2048 wanted: ")) << message;
    EXPECT_FALSE(message.ends_with("no reason given")) << message;
    // Messages reach logs, so they must not contain a part of the key.
    EXPECT_LT(message.size(), 120u) << message;
  }
}

TEST(PrivateKeyTest, PemOverTheLimitIsRefusedUnread) {
  const char byte = '-';
  const auto key =
      PrivateKey::FromPem(Type::kRsa2048, std::string_view(&byte, (size_t{1} << 31) + 5));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message, "reading a key from PEM: over 1 GiB given");
}

TEST(PrivateKeyTest, LeavesTheThreadsErrorQueueAsItWas) {
  ERR_clear_error();
  EXPECT_FALSE(PrivateKey::FromPem(Type::kRsa2048, "no PEM"));
  EXPECT_EQ(ERR_peek_error(), 0u);
  ERR_raise(ERR_LIB_USER, 42);
  const unsigned long before = ERR_peek_last_error();
  EXPECT_FALSE(PrivateKey::FromPem(Type::kRsa2048, "no PEM"));
  EXPECT_TRUE(PrivateKey::Generate(Type::kX25519));
  EXPECT_EQ(ERR_get_error(), before);
  EXPECT_EQ(ERR_get_error(), 0u);
}

TEST(PrivateKeyTest, GeneratedKeysDiffer) {
  EXPECT_NE(PrivateKey::Generate(Type::kEcdsaP256).value()->PublicKey(),
            PrivateKey::Generate(Type::kEcdsaP256).value()->PublicKey());
}

// --- X25519 ---

Key X25519Key(const std::string& raw_hex) {
  return PrivateKey::FromPem(Type::kX25519,
                             PemOf("PRIVATE KEY", "302e020100300506032b656e04220420" + raw_hex))
      .value();
}

// RFC 7748, 6.1.
TEST(X25519Test, AgreesWithRfc7748) {
  const Key alice = X25519Key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Key bob = X25519Key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const std::string alice_public =
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
  const std::string bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
  EXPECT_EQ(ToHex(alice->PublicKey()), alice_public);
  EXPECT_EQ(ToHex(bob->PublicKey()), bob_public);
  const std::string secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  X25519 one(alice, ArrayFromHex<32>(bob_public));
  X25519 other(bob, ArrayFromHex<32>(alice_public));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(one.Execute() && other.Execute());
    EXPECT_EQ(ToHex(one.secret()), secret);
    EXPECT_EQ(ToHex(other.secret()), secret);
  }
  EXPECT_EQ(one.size_bytes(), 32u);
  EXPECT_EQ(ToHex(one.output()), secret);
}

TEST(X25519Test, PointOfLowOrderFailsAndLeavesZeros) {
  X25519 derive(KeyOf(Type::kX25519), std::array<std::byte, 32>{});
  std::ranges::fill(derive.output(), std::byte{0xaa});
  ERR_clear_error();
  EXPECT_FALSE(derive.Execute());
  EXPECT_EQ(ToHex(derive.secret()), std::string(64, '0'));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(X25519DeathTest, KeyIsAnX25519Key) {
  EXPECT_DEATH(X25519(KeyOf(Type::kEcdsaP256), std::array<std::byte, 32>{}),
               "the key is an X25519 key");
}

}  // namespace
}  // namespace hwsim::operations
