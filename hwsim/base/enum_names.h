// EnumNames<T>: the names of an enumeration's values, written once, for configuration files,
// command lines, messages and reports.
//
// An enumeration gets its names beside its definition, in one table. The table may have any order;
// messages list the names in that order. A specialisation belongs to namespace hwsim: an
// enumeration of another namespace writes it at global scope, with `hwsim::` before kNamesOf and
// EnumName.
//
//   template <>
//   inline constexpr auto kNamesOf<Colour> = std::to_array<EnumName<Colour>>({
//       {Colour::kRed, "red"},
//       {Colour::kGreen, "green"},
//   });
//
//   EnumNames<Colour>::NameOf(Colour::kRed)  // "red"
//   EnumNames<Colour>::ValueOf("green")      // Colour::kGreen
//
// Threads: any. Limits: NameOf and ValueOf search the table from its beginning and allocate
// nothing.
#ifndef GHOSTCARD_HWSIM_BASE_ENUM_NAMES_H_
#define GHOSTCARD_HWSIM_BASE_ENUM_NAMES_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace hwsim {

template <typename T>
struct EnumName {
  T value;
  std::string_view name;
};

// The table of an enumeration. An enumeration without a specialisation has no names.
template <typename T>
inline constexpr auto kNamesOf = nullptr;

template <typename T>
class EnumNames {
  static_assert(!std::is_null_pointer_v<std::remove_const_t<decltype(kNamesOf<T>)>>,
                "the enumeration has no specialisation of kNamesOf");

 public:
  // The values and their names in the table's order, for loops.
  static constexpr const auto& kEntries = kNamesOf<T>;
  static constexpr size_t kCount = kEntries.size();

  // The name of `value`; "unknown" when the table does not have the value.
  static constexpr std::string_view NameOf(T value) {
    static_assert(Unique(), "two entries have the same value or the same name");
    for (const EnumName<T>& entry : kEntries) {
      if (entry.value == value) return entry.name;
    }
    return "unknown";
  }

  // The value named exactly `name`; nullopt when there is none.
  static constexpr std::optional<T> ValueOf(std::string_view name) {
    for (const EnumName<T>& entry : kEntries) {
      if (entry.name == name) return entry.value;
    }
    return std::nullopt;
  }

  // The names in the table's order.
  static constexpr std::array<std::string_view, kCount> All() {
    std::array<std::string_view, kCount> names;
    for (size_t i = 0; i < kCount; ++i) names[i] = kEntries[i].name;
    return names;
  }

  // The names for a message about what is allowed: "a", "a or b", "a, b or c".
  static std::string Listed() {
    std::string text;
    for (size_t i = 0; i < kCount; ++i) {
      if (i != 0) text += i + 1 == kCount ? " or " : ", ";
      text += kEntries[i].name;
    }
    return text;
  }

 private:
  // Whether each value and each name stands once.
  static constexpr bool Unique() {
    for (size_t i = 0; i < kCount; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (kEntries[i].value == kEntries[j].value || kEntries[i].name == kEntries[j].name) {
          return false;
        }
      }
    }
    return true;
  }
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_ENUM_NAMES_H_
