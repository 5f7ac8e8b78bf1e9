#include "hwsim/config/profile_section.h"

#include <sstream>
#include <string_view>

#include "hwsim/config/profile_toml.h"
#include "hwsim/config/toml_reader.h"

namespace hwsim::config {

namespace {

// Whether it is a table of a profile, and not of a card.
bool IsOfProfile(std::string_view key) {
  return key == "moderation" || key == "transit" || key == "operation";
}

}  // namespace

Expected<model::Profile> LoadProfileSection(const std::string& path, const std::string& section) {
  const toml::parse_result file = toml::parse_file(path);
  if (!file) return LoadProfile(path);  // its Error says what is wrong
  std::string sections;
  for (const auto& [key, value] : file.table()) {
    const toml::table* const table = value.as_table();
    if (table == nullptr || IsOfProfile(key.str())) continue;
    if (key.str() == section) {
      std::ostringstream text;
      text << *table;
      std::string origin = path;
      origin.append(" [").append(section).append("]");
      return ParseProfile(text.str(), origin);
    }
    if (!sections.empty()) sections += ", ";
    sections += key.str();
  }
  if (sections.empty()) return LoadProfile(path);
  return Unexpected(path + ": no section [" + section + "]; there are " + sections);
}

}  // namespace hwsim::config
