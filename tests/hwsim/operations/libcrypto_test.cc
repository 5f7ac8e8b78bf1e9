#include "hwsim/operations/libcrypto.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace hwsim::operations {
namespace {

int freed = 0;
void CountFree(const int*) { ++freed; }

TEST(FreerTest, OwnerCallsTheFunctionOnce) {
  freed = 0;
  int object = 0;
  {
    const std::unique_ptr<int, Freer<CountFree>> owner(&object);
    const std::unique_ptr<int, Freer<CountFree>> nothing;
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
  std::shared_ptr<int>(&object, Freer<CountFree>()).reset();
  EXPECT_EQ(freed, 2);
}

TEST(FreerTest, OwnerIsAsLargeAsAPointer) {
  static_assert(sizeof(PkeyContext) == sizeof(void*));
  const DigestContext context(EVP_MD_CTX_new());
  EXPECT_NE(context, nullptr);
}

TEST(ErrorMarkTest, ErrorsWithinTheScopeAreRemovedAndEarlierOnesStay) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  const unsigned long before = ERR_peek_last_error();
  {
    const ErrorMark mark;
    ERR_raise(ERR_LIB_USER, 43);
    ERR_raise(ERR_LIB_USER, 44);
    EXPECT_NE(ERR_peek_last_error(), before);
  }
  EXPECT_EQ(ERR_get_error(), before);
  EXPECT_EQ(ERR_get_error(), 0u);
}

TEST(LastLibcryptoErrorTest, IsTheNewestReasonAndLeavesTheQueue) {
  ERR_clear_error();
  EXPECT_EQ(LastLibcryptoError(), "no reason given");
  ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
  ERR_raise(ERR_LIB_EVP, ERR_R_PASSED_NULL_PARAMETER);
  EXPECT_EQ(LastLibcryptoError(), "passed a null parameter");
  EXPECT_EQ(LastLibcryptoError(), "passed a null parameter");
  ERR_clear_error();
}

TEST(CardLibraryTest, IsMadeOnceAndApartFromTheDefaultContext) {
  const CardLibrary& library = CardLibrary::Get();
  EXPECT_EQ(&CardLibrary::Get(), &library);
  EXPECT_NE(library.context, nullptr);
  EXPECT_NE(library.context, OSSL_LIB_CTX_get0_global_default());
  EXPECT_NE(library.aes128_gcm, nullptr);
  EXPECT_NE(library.aes256_gcm, nullptr);
}

}  // namespace
}  // namespace hwsim::operations
