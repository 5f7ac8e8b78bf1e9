// The sanitizer of this build, as constants. gcc and clang define different macros for it.
#ifndef GHOSTCARD_WAITCTX_BASE_SANITIZERS_H_
#define GHOSTCARD_WAITCTX_BASE_SANITIZERS_H_

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GHOSTCARD_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define GHOSTCARD_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(GHOSTCARD_ASAN)
#define GHOSTCARD_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(GHOSTCARD_TSAN)
#define GHOSTCARD_TSAN 1
#endif

namespace waitctx {

#if defined(GHOSTCARD_ASAN)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#if defined(GHOSTCARD_TSAN)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_BASE_SANITIZERS_H_
