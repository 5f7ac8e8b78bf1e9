// What tests of published answers share: hexadecimal text, and a fixture that computes each answer
// on the card.
#ifndef GHOSTCARD_TESTS_ENGINE_OPENSSL_KNOWN_ANSWERS_H_
#define GHOSTCARD_TESTS_ENGINE_OPENSSL_KNOWN_ANSWERS_H_

#include <stdlib.h>

#include <string>
#include <string_view>

#include "tests/engine/openssl/module.h"

namespace tests {

// Properties that only the ghostcard provider has.
inline constexpr char kGhostcardOnly[] = "provider=ghostcard";

// The bytes of `text`, which has two lower-case hexadecimal digits for each byte.
inline Bytes Hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(digit(text[i]) * 16 + digit(text[i + 1])));
  }
  return bytes;
}
inline Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

class KnownAnswersTest : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    for (const char* what : {"DIGEST", "MAC", "CBC", "CTR", "GCM", "CHACHA20_POLY1305", "KDF"}) {
      ::setenv((std::string("GHOSTCARD_THRESHOLD_") + what).c_str(), "0", 1);
    }
    loaded_ = new Module;
  }
  static void TearDownTestSuite() {
    delete loaded_;
    loaded_ = nullptr;
  }
  void SetUp() override { ASSERT_NE(loaded_->provider, nullptr) << Errors(); }
  void TearDown() override { EXPECT_EQ(loaded_->Counter("ghostcard-software"), 0u); }

  static OSSL_LIB_CTX* library() { return loaded_->context.get(); }

  // Runs `work` in the way of this test. Expects that it uses the card and returns `answer`.
  template <typename Answer, typename Work>
  static void Expect(const std::string& what, const Answer& answer, const Work& work) {
    const uint64_t before = loaded_->Counter("ghostcard-requests");
    Answer result{};
    const auto keep = [&] {
      result = work();
      return 1;
    };
    EXPECT_EQ(RunBy(GetParam(), keep), 1) << what;
    const std::string errors = Errors();
    EXPECT_EQ(result, answer) << what << ": " << errors;
    EXPECT_GT(loaded_->Counter("ghostcard-requests"), before) << what << " did not go to the card";
  }

 private:
  static inline Module* loaded_ = nullptr;
};

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_OPENSSL_KNOWN_ANSWERS_H_
