// Notify: how a job learns that it can continue.
#ifndef GHOSTCARD_TOOLS_LOAD_NOTIFY_H_
#define GHOSTCARD_TOOLS_LOAD_NOTIFY_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "hwsim/base/enum_names.h"

namespace tools::load {

enum class Notify : uint8_t {
  kFd,        // its wait fd becomes readable
  kCallback,  // the callback of its wait context runs
};

}  // namespace tools::load

template <>
inline constexpr auto hwsim::kNamesOf<tools::load::Notify> =
    std::to_array<hwsim::EnumName<tools::load::Notify>>({
        {tools::load::Notify::kFd, "fd"},
        {tools::load::Notify::kCallback, "callback"},
    });

namespace tools::load {

constexpr std::string_view NotifyName(Notify notify) {
  return hwsim::EnumNames<Notify>::NameOf(notify);
}

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_NOTIFY_H_
