// The provider on the card against answers that standards publish: key exchange, signatures and RSA
// decryption. known_answers_test.cc has the answers for messages without keys.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/engine/openssl/known_answers.h"
#include "tests/engine/openssl/pkeys.h"

namespace tests {
namespace {

class KnownKeyAnswersTest : public KnownAnswersTest {};

using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
Number ToNumber(const char* hex) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, hex);
  return Number(number);
}

// Makes an RSA or EC key of the provider from published values: numbers in hexadecimal, each with
// its parameter's name, and for EC a group and the public point.
Pkey Import(OSSL_LIB_CTX* library, const char* type,
            const std::vector<std::pair<const char*, const char*>>& numbers,
            const char* group = nullptr, const char* point = "") {
  const std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  const Bytes point_bytes = Hex(point);
  std::vector<Number> kept;  // the builder keeps pointers to them
  for (const auto& [name, hex] : numbers) {
    kept.push_back(ToNumber(hex));
    OSSL_PARAM_BLD_push_BN(builder.get(), name, kept.back().get());
  }
  if (group != nullptr) {
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point_bytes.data(),
                                     point_bytes.size());
  }
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder.get());
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(library, type, kGhostcardOnly));
  EVP_PKEY* key = nullptr;
  if (context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params);
  }
  OSSL_PARAM_free(params);
  return Pkey(key);
}

Pkey RawPrivate(OSSL_LIB_CTX* library, const char* type, const Bytes& raw) {
  return Pkey(
      EVP_PKEY_new_raw_private_key_ex(library, type, kGhostcardOnly, raw.data(), raw.size()));
}
Pkey RawPublic(OSSL_LIB_CTX* library, const char* type, const Bytes& raw) {
  return Pkey(
      EVP_PKEY_new_raw_public_key_ex(library, type, kGhostcardOnly, raw.data(), raw.size()));
}

// RFC 7748, 5.2: the first test vector of each.
TEST_P(KnownKeyAnswersTest, X25519AndX448MatchRfc7748) {
  const struct {
    const char* type;
    const char* scalar;
    const char* point;
    const char* answer;
  } answers[] = {
      {"X25519", "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
       "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
       "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
      {"X448",
       "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121"
       "700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
       "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9"
       "814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
       "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239f"
       "e14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f"},
  };
  for (const auto& known : answers) {
    const Pkey own = RawPrivate(library(), known.type, Hex(known.scalar));
    const Pkey peer = RawPublic(library(), known.type, Hex(known.point));
    ASSERT_TRUE(own && peer) << known.type << ": " << Errors();
    Expect(known.type, Hex(known.answer),
           [&] { return Agree(library(), own.get(), peer.get(), kGhostcardOnly); });
  }
}

// NIST CAVP, "ECC CDH Primitive": COUNT = 0 of each curve.
TEST_P(KnownKeyAnswersTest, EcdhMatchesCavp) {
  const struct {
    const char* group;
    const char* scalar;
    const char* own;
    const char* peer;
    const char* answer;
  } answers[] = {
      {"P-256", "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
       "04"
       "ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230"
       "28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
       "04"
       "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
       "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
       "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"},
      {"P-384",
       "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b1"
       "5618b6818a661774ad463b205da88cf699ab4d43c9cf98a1",
       "04"
       "9803807f2f6d2fd966cdd0290bd410c0190352fbec7ff624"
       "7de1302df86f25d34fe4a97bef60cff548355c015dbb3e5f"
       "ba26ca69ec2f5b5d9dad20cc9da711383a9dbe34ea3fa5a2"
       "af75b46502629ad54dd8b7d73a8abb06a3a3be47d650cc99",
       "04"
       "a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e76459"
       "2efda27fe7513272734466b400091adbf2d68c58e0c50066"
       "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b66"
       "1efedf243451915ed0905a32b060992b468c64766fc8437a",
       "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f4"
       "0ba7fcead493b457e5621e766c40a2e3d4d6a04b25e533f1"},
      {"P-521",
       "017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4eac6564f"
       "6ee9974c5e6887a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47",
       "04"
       "00602f9d0cf9e526b29e22381c203c48a886c2b0673033366314f1ffbcba240ba42f4ef3"
       "8a76174635f91e6b4ed34275eb01c8467d05ca80315bf1a7bbd945f550a5"
       "01b7c85f26f5d4b2d7355cf6b02117659943762b6d1db5ab4f1dbc44ce7b2946eb6c7de3"
       "42962893fd387d1b73d7a8672d1f236961170b7eb3579953ee5cdc88cd2d",
       "04"
       "00685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854334b1e1b"
       "87fa395464c60626124a4e70d0f785601d37c09870ebf176666877a2046d"
       "01ba52c56fc8776d9e8f5db4f0cc27636d0b741bbe05400697942e80b739884a83bde99e"
       "0f6716939e632bc8986fa18dccd443a348b6c3e522497955a4f3c302f676",
       "005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e136672d72c"
       "c770742d1711c3c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831"},
  };
  for (const auto& known : answers) {
    const Pkey own =
        Import(library(), "EC", {{OSSL_PKEY_PARAM_PRIV_KEY, known.scalar}}, known.group, known.own);
    const Pkey peer = Import(library(), "EC", {}, known.group, known.peer);
    ASSERT_TRUE(own && peer) << known.group << ": " << Errors();
    Expect(std::string("ECDH ") + known.group, Hex(known.answer),
           [&] { return Agree(library(), own.get(), peer.get(), kGhostcardOnly); });
  }
}

// RFC 8032, 7.1, test 2, and 7.4, "1 octet".
TEST_P(KnownKeyAnswersTest, Ed25519AndEd448MatchRfc8032) {
  const struct {
    KeyForm form;
    const char* secret;
    const char* open;
    const char* message;
    const char* signature;
  } answers[] = {
      {{"ED25519", nullptr, 0},
       "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
       "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {{"ED448", nullptr, 0},
       "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a"
       "fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
       "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c086"
       "6aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
       "03",
       "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7"
       "e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336"
       "c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00"},
  };
  for (const auto& known : answers) {
    const std::string name = Name(known.form);
    const Bytes message = Hex(known.message), signature = Hex(known.signature);
    const Pkey own = RawPrivate(library(), known.form.type, Hex(known.secret));
    const Pkey open = RawPublic(library(), known.form.type, Hex(known.open));
    ASSERT_TRUE(own && open) << name << ": " << Errors();
    Expect(name, signature,
           [&] { return Sign(library(), known.form, own.get(), kGhostcardOnly, message); });
    Expect(name + " verified", true, [&] {
      return Verify(library(), known.form, open.get(), kGhostcardOnly, signature, message);
    });
  }
}

// Encodes the two numbers of an ECDSA signature for libcrypto.
Bytes EcdsaSignature(const char* r, const char* s) {
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>> signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), ToNumber(r).release(), ToNumber(s).release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// RFC 6979, A.2.5 to A.2.7: the message "sample". The test verifies only, because libcrypto 3.0
// signs with random numbers.
TEST_P(KnownKeyAnswersTest, EcdsaAcceptsTheSignaturesOfRfc6979) {
  const struct {
    KeyForm form;
    const char* point;
    const char* r;
    const char* s;
  } answers[] = {
      {{"EC", "P-256", 0, "SHA256"},
       "04"
       "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
       "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
       "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
       "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
      {{"EC", "P-384", 0, "SHA384"},
       "04"
       "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e"
       "06aae5286b300c64def8f0ea9055866064a254515480bc13"
       "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9"
       "f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
       "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa7"
       "3d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
       "99ef4aeb15f178cea1fe40db2603138f130e740a19624526"
       "203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
      {{"EC", "P-521", 0, "SHA512"},
       "04"
       "01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d4"
       "6e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4"
       "00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25"
       "741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
       "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1"
       "ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
       "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623ea"
       "a63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a"},
  };
  for (const auto& known : answers) {
    const std::string name = Name(known.form) + " verified";
    const Pkey key = Import(library(), "EC", {}, known.form.group, known.point);
    ASSERT_NE(key, nullptr) << name << ": " << Errors();
    const Bytes signature = EcdsaSignature(known.r, known.s);
    const auto verify = [&](const char* message) {
      return Verify(library(), known.form, key.get(), kGhostcardOnly, signature, Text(message));
    };
    Expect(name, true, [&] { return verify("sample"); });
    Expect(name + " with another message", false, [&] { return verify("test"); });
  }
}

// NIST CAVP, FIPS 186-3, "SigGen PKCS#1 Ver 1.5": 2048 bits, SHA-256.
TEST_P(KnownKeyAnswersTest, RsaPkcs1SignaturesMatchCavp) {
  constexpr char kModulus[] =
      "cea80475324c1dc8347827818da58bac069d3419c614a6ea1ac6a3b510dcd72cc516954905e9fef9"
      "08d45e13006adf27d467a7d83c111d1a5df15ef293771aefb920032a5bb989f8e4f5e1b05093d3f1"
      "30f984c07a772a3683f4dc6fb28a96815b32123ccdd13954f19d5b8b24a103e771a34c328755c65e"
      "d64e1924ffd04d30b2142cc262f6e0048fef6dbc652f21479ea1c4b1d66d28f4d46ef7185e390cbf"
      "a2e02380582f3188bb94ebbf05d31487a09aff01fcbb4cd4bfd1f0a833b38c11813c84360bb53c7d"
      "4481031c40bad8713bb6b835cb08098ed15ba31ee4ba728a8c8e10f7294e1b4163b7aee57277bfd8"
      "81a6f9d43e02c6925aa3a043fb7fb78d";
  constexpr char kPrivateExponent[] =
      "0997634c477c1a039d44c810b2aaa3c7862b0b88d3708272e1e15f66fc9389709f8a11f3ea6a5af7"
      "effa2d01c189c50f0d5bcbe3fa272e56cfc4a4e1d388a9dcd65df8628902556c8b6bb6a641709b5a"
      "35dd2622c73d4640bfa1359d0e76e1f219f8e33eb9bd0b59ec198eb2fccaae0346bd8b401e12e3c6"
      "7cb629569c185a2e0f35a2f741644c1cca5ebb139d77a89a2953fc5e30048c0e619f07c8d21d1e56"
      "b8af07193d0fdf3f49cd49f2ef3138b5138862f1470bd2d16e34a2b9e7777a6c8c8d4cb94b4e8b5d"
      "616cd5393753e7b0f31cc7da559ba8e98d888914e334773baf498ad88d9631eb5fe32e53a4145bf0"
      "ba548bf2b0a50c63f67b14e398a34b0d";
  const KeyForm form{"RSA", nullptr, 2048};
  const Pkey key = Import(library(), "RSA",
                          {{OSSL_PKEY_PARAM_RSA_N, kModulus},
                           {OSSL_PKEY_PARAM_RSA_E, "260445"},
                           {OSSL_PKEY_PARAM_RSA_D, kPrivateExponent}});
  ASSERT_NE(key, nullptr) << Errors();
  const Bytes message =
      Hex("5af283b1b76ab2a695d794c23b35ca7371fc779e92ebf589e304c7f923d8cf97"
          "6304c19818fcd89d6f07c8d8e08bf371068bdf28ae6ee83b2e02328af8c0e2f9"
          "6e528e16f852f1fc5455e4772e288a68f159ca6bdcf902b858a1f94789b31638"
          "23e2d0717ff56689eec7d0e54d93f520d96e1eb04515abc70ae90578ff38d31b");
  const Bytes signature =
      Hex("6b8be97d9e518a2ede746ff4a7d91a84a1fc665b52f154a927650db6e7348c69f8c8881f7bcf9b1a"
          "6d3366eed30c3aed4e93c203c43f5528a45de791895747ade9c5fa5eee81427edee02082147aa311"
          "712a6ad5fb1732e93b3d6cd23ffd46a0b3caf62a8b69957cc68ae39f9993c1a779599cdda949bdaa"
          "babb77f248fcfeaa44059be5459fb9b899278e929528ee130facd53372ecbc42f3e8de2998425860"
          "406440f248d817432de687112e504d734028e6c5620fa282ca07647006cf0a2ff83e19a916554cc6"
          "1810c2e855305db4e5cf893a6a96767365794556ff033359084d7e38a8456e68e21155b76151314a"
          "29875feee09557161cbc654541e89e42");
  Expect("RSA", signature,
         [&] { return Sign(library(), form, key.get(), kGhostcardOnly, message); });
  Expect("RSA verified", true,
         [&] { return Verify(library(), form, key.get(), kGhostcardOnly, signature, message); });
}

// NIST CAVP, FIPS 186-3, "SigVer PKCS#1 RSASSA-PSS": 2048 bits, SHA-256, a salt of 10 bytes. From
// the first key: the valid signature, and the one whose hash is moved to the left. The test
// verifies only, because the salt of a new signature is random.
TEST_P(KnownKeyAnswersTest, RsaPssJudgesSignaturesAsCavp) {
  constexpr char kModulus[] =
      "c6e0ed537a2d85cf1c4effad6419884d824ceabf5200e755691cb7328acd6a755fe85798502ccaec"
      "9e55d47afd0cf3258ebe920b50c5fd9d72897462bd0e459bbdf902b63d17195b2ef54908980be12a"
      "a7489f8af274b92c0cbc16aed2fa46f782d5517b666edfb2e5e5efeaff7e24965e26472e51980b0c"
      "fe457d297e6aa5dacb8e728dc6f58130f925a13275c3cace62f820db1e13cc5274c58ff4d7837671"
      "a1bf5f80d6ad8699c568df8d24dd0f152ded36ef4861f59b354bba96a076913a25facf4722737e6d"
      "eed95b69a00fb2bced0feeedea4ff01a92605cfe26a6b39553d0c74e5650eb3779705e135c4b2fa5"
      "18a8d4339c53efab4bb0058238def555";
  const struct {
    bool good;
    const char* message;
    const char* signature;
  } answers[] = {
      {true,
       "81eaf473d40896dbf4deac0f35c63bd1e129147c76e7aa8d0ef921631f55a743"
       "6411079f1bcc7b98714ac2c13b5e7326e60d918db1f05ffb19da767a95bb141a"
       "84c4b73664ccebf844f3601f7c853f009b21becba11af3106f1de5827b14e9fa"
       "c84b2cbf16d18c045622acb260024768e8acc4c0ae2c0bd5f60a98023828cdec",
       "40d59ebc6cb7b960cbda0db353f9b85d77e7c03f84447fb8e91b96a5a7377abc329d1f55c85e0dbe"
       "dbc2886ce191d9e2cf3be05b33d6bbd2ba92b85eee2ff89cd6ee29cd531e42016e6aba1d620fe55e"
       "44480c033e8a59c0852dd1caffbc2ce82969e3a9f44ceff79f89993b9ebf3741b2ccab0b9516f2e1"
       "28656a5b2ad5251e20c6ce0c26a14eef7ee86458942ddbe95ccc1f67b253e43e72117f49595dab5b"
       "a423496ece12825435661112666dbae71aaffd5a8f1d58db9dc02e0d70fe3ac36a87b8eeed4f20c0"
       "0fd4303f9f767d03bca1a619bbe4b08e4e53b5cb69d2ba0235063e04ca392334d9979a41c42a66ca"
       "8b9721edcf76989ba89f3a170bb2e485"},
      {false,
       "cd741b83a5e1393e76a67eee21b36e1fd1152c6f816e2b9cbfa205e1afd4ab83"
       "5291bfa7084a3e6654086223e05bc71cc193cc40fb333c4148a32ee9152529b1"
       "ce0a8c905b262d11eb8141a8f04f7c466a23792b695f5bfccdefb5155137a720"
       "c8494ae6a65c4e66c17ae2245978d4c4562bfad7d2d9d0f5d7ee620c6af06df7",
       "1e217b9d36a6d019cb763ee447cc87abcc609cf72c443a2cbbca8181aa0b4878e92adaababfd3c55"
       "59784909125c1c0f7f5aad5151e08f24a509e687ef430fc748097d647954360d6c666301c1611d08"
       "028171ace9df8c4b14eae680b06d59a256304b2860cca6b5a77ef759eaeb904f72ceaedd0fcd2389"
       "34118a6fbcd0bb4d0b22484dd55c6b8ea9b7151277b19977a27f1dfaa87097b0f4fa6c572370a94a"
       "91e11ea5659a6aa7ebc841d10d2fa269ed26ecce63306ed9df03623fff3154f764064d798d19bd86"
       "af9f34b99070a129cba4e4e983a03910f1d4ce83aca61bad9fbfe9f2eb76eec5bfe37b4f649bc2ce"
       "afb200f08ae2c0c2a18ed36b55bb063a"},
  };
  char mode[] = OSSL_PKEY_RSA_PAD_MODE_PSS;
  int salt_bytes = 10;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, mode, 0),
      OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_bytes),
      OSSL_PARAM_construct_end()};
  for (const char* type : {"RSA", "RSA-PSS"}) {
    const KeyForm form{type, nullptr, 2048};
    const Pkey key = Import(library(), type,
                            {{OSSL_PKEY_PARAM_RSA_N, kModulus}, {OSSL_PKEY_PARAM_RSA_E, "010001"}});
    ASSERT_NE(key, nullptr) << type << ": " << Errors();
    for (const auto& known : answers) {
      Expect(std::string("PSS by a key of ") + type, known.good, [&] {
        return Verify(library(), form, key.get(), kGhostcardOnly, Hex(known.signature),
                      Hex(known.message), params);
      });
    }
  }
}

// RSA Laboratories' test vectors, key 1: RSAES-OAEP example 1.1, and PKCS#1 v1.5 encryption example
// 1.10. The test decrypts only, because encryption uses random padding.
TEST_P(KnownKeyAnswersTest, RsaDecryptionMatchesTheVectors) {
  constexpr char kModulus[] =
      "a8b3b284af8eb50b387034a860f146c4919f318763cd6c5598c8ae4811a1e0ab"
      "c4c7e0b082d693a5e7fced675cf4668512772c0cbc64a742c6c630f533c8cc72"
      "f62ae833c40bf25842e984bb78bdbf97c0107d55bdb662f5c4e0fab9845cb514"
      "8ef7392dd3aaff93ae1e6b667bb3d4247616d4f5ba10d4cfd226de88d39f16fb";
  constexpr char kPrivateExponent[] =
      "53339cfdb79fc8466a655c7316aca85c55fd8f6dd898fdaf119517ef4f52e8fd"
      "8e258df93fee180fa0e4ab29693cd83b152a553d4ac4d1812b8b9fa5af0e7f55"
      "fe7304df41570926f3311f15c4d65a732c483116ee3d3d2d0af3549ad9bf7cbf"
      "b78ad884f84d5beb04724dc7369b31def37d0cf539e9cfcdd3de653729ead5d1";
  const struct {
    const char* name;
    int padding;
    const char* sealed;
    const char* message;
  } answers[] = {
      {"OAEP", RSA_PKCS1_OAEP_PADDING,
       "354fe67b4a126d5d35fe36c777791a3f7ba13def484e2d3908aff722fad468fb"
       "21696de95d0be911c2d3174f8afcc201035f7b6d8e69402de5451618c21a535f"
       "a9d7bfc5b8dd9fc243f8cf927db31322d6e881eaa91a996170e657a05a266426"
       "d98c88003f8477c1227094a0d9fa1e8c4024309ce1ecccb5210035d47ac72e8a",
       "6628194e12073db03ba94cda9ef9532397d50dba79b987004afefe34"},
      {"PKCS#1 v1.5", RSA_PKCS1_PADDING,
       "2e83c3d288015a5f503d3e5de7d2ad9106545ef97d63e4d06a5a0d9dbc29f6ba"
       "fb93a5173fa5063a6939dba6c7a428c35e7dbe6a9593fe5ec4c19878893f3137"
       "09c87602726cb3255be75adc7f2f27e6db91c3a343eaff1c28d9d5f7cb6574e6"
       "31069003cdcfa07743a7340d58839e708bf36af6342db8dfa41feadafc6953ac",
       "82b5075bfc88f4006576aa80a0007a7451184d4f760cf9242804222b"
       "0e0726f555030e4e6b01f793b097018127824a3e402457d8495fc0"},
  };
  const Pkey key = Import(library(), "RSA",
                          {{OSSL_PKEY_PARAM_RSA_N, kModulus},
                           {OSSL_PKEY_PARAM_RSA_E, "010001"},
                           {OSSL_PKEY_PARAM_RSA_D, kPrivateExponent}});
  ASSERT_NE(key, nullptr) << Errors();
  for (const auto& known : answers) {
    Expect(known.name, Hex(known.message), [&] {
      return RsaCrypt(library(), key.get(), kGhostcardOnly, false, Hex(known.sealed),
                      known.padding);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, KnownKeyAnswersTest,
                         ::testing::Values(Way::kPlain, Way::kFd, Way::kCallback), WayName);

}  // namespace
}  // namespace tests
