// The provider on the card against answers that standards publish: digests, MACs, ciphers and key
// derivations. known_key_answers_test.cc has the answers for keys.
#include "tests/engine/openssl/known_answers.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <utility>
#include <vector>

namespace tests {
namespace {

struct NamedAnswer {
  const char* name;
  const char* answer;
};

Bytes Digest(OSSL_LIB_CTX* library, const char* name, const Bytes& message) {
  Bytes out(EVP_MAX_MD_SIZE);
  size_t size = 0;
  if (EVP_Q_digest(library, name, kGhostcardOnly, message.data(), message.size(), out.data(),
                   &size) != 1) {
    size = 0;
  }
  out.resize(size);
  return out;
}

// FIPS 180-4 and FIPS 202: NIST's examples for the message "abc".
TEST_P(KnownAnswersTest, DigestsMatchTheStandards) {
  const NamedAnswer answers[] = {
      {"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"SHA224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"SHA384",
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
       "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
      {"SHA512",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {"SHA3-224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
      {"SHA3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
      {"SHA3-384",
       "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c25"
       "96da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"},
      {"SHA3-512",
       "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
       "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
  };
  for (const NamedAnswer& known : answers) {
    Expect(known.name, Hex(known.answer),
           [&] { return Digest(library(), known.name, Text("abc")); });
  }
}

Bytes Hmac(OSSL_LIB_CTX* library, const char* digest, const Bytes& key, const Bytes& message) {
  Bytes out(EVP_MAX_MD_SIZE);
  size_t size = 0;
  if (EVP_Q_mac(library, "HMAC", kGhostcardOnly, digest, nullptr, key.data(), key.size(),
                message.data(), message.size(), out.data(), out.size(), &size) == nullptr) {
    size = 0;
  }
  out.resize(size);
  return out;
}

// RFC 2202, 3 (SHA-1), and RFC 4231, 4.3 (the others): test case 2.
TEST_P(KnownAnswersTest, HmacMatchesTheStandards) {
  const NamedAnswer answers[] = {
      {"SHA1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
      {"SHA224", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
      {"SHA256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"SHA384",
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
       "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
      {"SHA512",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
  };
  for (const NamedAnswer& known : answers) {
    Expect(std::string("HMAC-") + known.name, Hex(known.answer), [&] {
      return Hmac(library(), known.name, Text("Jefe"), Text("what do ya want for nothing?"));
    });
  }
}

struct CipherCase {
  const char* name;
  const char* source;
  Bytes key, iv, aad, plain, sealed;  // for an AEAD, the tag follows the data
};

// Encrypts or decrypts `input` with the cipher of `test`; empty when the cipher refuses.
Bytes Crypt(OSSL_LIB_CTX* library, const CipherCase& test, bool encrypt, Bytes input) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(library, test.name, kGhostcardOnly);
  const CipherContext context(EVP_CIPHER_CTX_new());
  const bool aead = cipher != nullptr && (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER);
  Bytes tag(16);
  int size = 0, last = 0;
  bool good = cipher != nullptr &&
              EVP_CipherInit_ex2(context.get(), cipher, test.key.data(), test.iv.data(), encrypt,
                                 nullptr) == 1 &&
              EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1;
  if (aead && !encrypt) {
    tag.assign(input.end() - 16, input.end());
    input.resize(input.size() - 16);
    good = good && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1;
  }
  if (aead) {
    good = good && EVP_CipherUpdate(context.get(), nullptr, &size, test.aad.data(),
                                    static_cast<int>(test.aad.size())) == 1;
  }
  Bytes out(input.size() + 32);
  good = good &&
         EVP_CipherUpdate(context.get(), out.data(), &size, input.data(),
                          static_cast<int>(input.size())) == 1 &&
         EVP_CipherFinal_ex(context.get(), out.data() + size, &last) == 1;
  out.resize(good ? static_cast<size_t>(size + last) : 0);
  if (good && aead && encrypt &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1) {
    out.insert(out.end(), tag.begin(), tag.end());
  }
  EVP_CIPHER_free(cipher);
  return out;
}

std::vector<CipherCase> CipherCases() {
  const Bytes block = Hex("6bc1bee22e409f96e93d7e117393172a");
  const Bytes key128 = Hex("2b7e151628aed2a6abf7158809cf4f3c");
  const Bytes key256 = Hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes iv = Hex("000102030405060708090a0b0c0d0e0f");
  const Bytes counter = Hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const Bytes gcm_key128 = Hex("feffe9928665731c6d6a8f9467308308");
  const Bytes gcm_key256 = Hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const Bytes gcm_iv = Hex("cafebabefacedbaddecaf888");
  const Bytes gcm_aad = Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes gcm_plain =
      Hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  return {
      {.name = "AES-128-CBC",
       .source = "SP 800-38A, F.2.1",
       .key = key128,
       .iv = iv,
       .plain = block,
       .sealed = Hex("7649abac8119b246cee98e9b12e9197d")},
      {.name = "AES-256-CBC",
       .source = "SP 800-38A, F.2.5",
       .key = key256,
       .iv = iv,
       .plain = block,
       .sealed = Hex("f58c4c04d6e5f1ba779eabfb5f7bfbd6")},
      {.name = "AES-128-CTR",
       .source = "SP 800-38A, F.5.1",
       .key = key128,
       .iv = counter,
       .plain = block,
       .sealed = Hex("874d6191b620e3261bef6864990db6ce")},
      {.name = "AES-256-CTR",
       .source = "SP 800-38A, F.5.5",
       .key = key256,
       .iv = counter,
       .plain = block,
       .sealed = Hex("601ec313775789a5b7a7f504bbf3d228")},
      {.name = "AES-128-GCM",
       .source = "the GCM specification, test case 4",
       .key = gcm_key128,
       .iv = gcm_iv,
       .aad = gcm_aad,
       .plain = gcm_plain,
       .sealed = Hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e23"
                     "29aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
                     "3d58e0915bc94fbc3221a5db94fae95ae7121a47")},
      {.name = "AES-256-GCM",
       .source = "the GCM specification, test case 16",
       .key = gcm_key256,
       .iv = gcm_iv,
       .aad = gcm_aad,
       .plain = gcm_plain,
       .sealed = Hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd"
                     "2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
                     "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b")},
      {.name = "ChaCha20-Poly1305",
       .source = "RFC 8439, 2.8.2",
       .key = Hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
       .iv = Hex("070000004041424344454647"),
       .aad = Hex("50515253c0c1c2c3c4c5c6c7"),
       .plain = Text("Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                     "for the future, sunscreen would be it."),
       .sealed = Hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a7"
                     "36ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
                     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4"
                     "fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
                     "61161ae10b594f09e26a7e902ecbd0600691")},
  };
}

TEST_P(KnownAnswersTest, CiphersMatchTheStandards) {
  for (const CipherCase& known : CipherCases()) {
    const std::string what = std::string(known.name) + " (" + known.source + ")";
    Expect(what, known.sealed, [&] { return Crypt(library(), known, true, known.plain); });
    Expect(what + ", opened", known.plain,
           [&] { return Crypt(library(), known, false, known.sealed); });
  }
}

struct KdfCase {
  const char* name;
  const char* source;
  const char* mode;  // null: none
  std::vector<std::pair<const char*, Bytes>> inputs;
  Bytes answer;
};

Bytes Derive(OSSL_LIB_CTX* library, const KdfCase& test) {
  EVP_KDF* kdf = EVP_KDF_fetch(library, test.name, kGhostcardOnly);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  const auto text = [](const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
  };
  std::vector<OSSL_PARAM> params = {text(OSSL_KDF_PARAM_DIGEST, "SHA256")};
  if (test.mode != nullptr) params.push_back(text(OSSL_KDF_PARAM_MODE, test.mode));
  for (const auto& [name, value] : test.inputs) {
    params.push_back(OSSL_PARAM_construct_octet_string(
        name, const_cast<unsigned char*>(value.data()), value.size()));
  }
  params.push_back(OSSL_PARAM_construct_end());
  Bytes out(test.answer.size());
  if (context == nullptr || EVP_KDF_derive(context, out.data(), out.size(), params.data()) != 1) {
    out.clear();
  }
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

constexpr char kKey[] = OSSL_KDF_PARAM_KEY;
constexpr char kSalt[] = OSSL_KDF_PARAM_SALT;
constexpr char kInfo[] = OSSL_KDF_PARAM_INFO;
constexpr char kPrefix[] = OSSL_KDF_PARAM_PREFIX;
constexpr char kLabel[] = OSSL_KDF_PARAM_LABEL;
constexpr char kData[] = OSSL_KDF_PARAM_DATA;
constexpr char kSecret[] = OSSL_KDF_PARAM_SECRET;
constexpr char kSeed[] = OSSL_KDF_PARAM_SEED;

// RFC 5869, A.1.
std::vector<KdfCase> HkdfCases() {
  const Bytes keying(22, 0x0b);
  const Bytes salt = Hex("000102030405060708090a0b0c");
  const Bytes info = Hex("f0f1f2f3f4f5f6f7f8f9");
  const Bytes extracted = Hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const Bytes expanded =
      Hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c"
          "5db02d56ecc4c5bf34007208d5b887185865");
  return {
      {.name = "HKDF",
       .source = "RFC 5869, A.1",
       .mode = "EXTRACT_AND_EXPAND",
       .inputs = {{kKey, keying}, {kSalt, salt}, {kInfo, info}},
       .answer = expanded},
      {.name = "HKDF",
       .source = "RFC 5869, A.1, its PRK",
       .mode = "EXTRACT_ONLY",
       .inputs = {{kKey, keying}, {kSalt, salt}},
       .answer = extracted},
      {.name = "HKDF",
       .source = "RFC 5869, A.1, from its PRK",
       .mode = "EXPAND_ONLY",
       .inputs = {{kKey, extracted}, {kInfo, info}},
       .answer = expanded},
  };
}

// RFC 8448, 3: the secrets of a simple 1-RTT handshake.
std::vector<KdfCase> Tls13Cases() {
  const Bytes prefix = Text("tls13 ");
  const Bytes derived = Text("derived");
  const Bytes early = Hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
  const Bytes shared = Hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
  const Bytes handshake = Hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
  const Bytes hellos = Hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
  const Bytes client = Hex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
  const Bytes server = Hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
  const Bytes master = Hex("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919");
  return {
      {.name = "TLS13-KDF",
       .source = "RFC 8448, 3, early secret",
       .mode = "EXTRACT_ONLY",
       .inputs = {{kPrefix, prefix}, {kLabel, derived}},
       .answer = early},
      {.name = "TLS13-KDF",
       .source = "RFC 8448, 3, handshake secret",
       .mode = "EXTRACT_ONLY",
       .inputs = {{kKey, shared}, {kSalt, early}, {kPrefix, prefix}, {kLabel, derived}},
       .answer = handshake},
      {.name = "TLS13-KDF",
       .source = "RFC 8448, 3, client's handshake traffic secret",
       .mode = "EXPAND_ONLY",
       .inputs =
           {{kKey, handshake}, {kData, hellos}, {kPrefix, prefix}, {kLabel, Text("c hs traffic")}},
       .answer = client},
      {.name = "TLS13-KDF",
       .source = "RFC 8448, 3, server's handshake traffic secret",
       .mode = "EXPAND_ONLY",
       .inputs =
           {{kKey, handshake}, {kData, hellos}, {kPrefix, prefix}, {kLabel, Text("s hs traffic")}},
       .answer = server},
      {.name = "TLS13-KDF",
       .source = "RFC 8448, 3, master secret",
       .mode = "EXTRACT_ONLY",
       .inputs = {{kSalt, handshake}, {kPrefix, prefix}, {kLabel, derived}},
       .answer = master},
  };
}

std::vector<KdfCase> Tls1Cases() {
  return {
      {.name = "TLS1-PRF",
       .source = "NIST CAVP, TLS 1.2, master secret",
       .mode = nullptr,
       .inputs = {{kSecret, Hex("f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07"
                                "876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc")},
                  {kSeed, Text("master secret")},
                  {kSeed, Hex("36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c")},
                  {kSeed, Hex("f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce")}},
       .answer = Hex("202c88c00f84a17a20027079604787461176455539e705be"
                     "730890602c289a5001e34eeb3a043e5d52a65e66125188bf")},
      {.name = "TLS1-PRF",
       .source = "the IETF TLS mailing list's vector for TLS 1.2 with SHA-256",
       .mode = nullptr,
       .inputs = {{kSecret, Hex("9bbe436ba940f017b17652849a71db35")},
                  {kSeed, Text("test label")},
                  {kSeed, Hex("a0ba9f936cda311827a6f796ffd5198c")}},
       .answer = Hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4"
                     "e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
                     "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d1"
                     "22ee42c5a72e5a5110fff70187347b66")},
  };
}

TEST_P(KnownAnswersTest, KeyDerivationsMatchTheStandards) {
  for (const auto& cases : {HkdfCases(), Tls13Cases(), Tls1Cases()}) {
    for (const KdfCase& known : cases) {
      Expect(std::string(known.name) + " (" + known.source + ")", known.answer,
             [&] { return Derive(library(), known); });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, KnownAnswersTest,
                         ::testing::Values(Way::kPlain, Way::kFd, Way::kCallback), WayName);

}  // namespace
}  // namespace tests
