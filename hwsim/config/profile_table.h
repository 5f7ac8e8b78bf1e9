// Reads a profile from a table of a TOML file that holds other things as well.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_PROFILE_TABLE_H_
#define GHOSTCARD_HWSIM_CONFIG_PROFILE_TABLE_H_

#include <string>

#include "hwsim/config/toml_reader.h"
#include "hwsim/model/profile.h"

namespace hwsim::config {

// Reads the keys of a profile file. `path` ("card.") is put before each key in `mistakes`. A value
// that the table does not give stays as it is in `profile`, or as it is in the shipped profile that
// the table names. When there are no mistakes, the caller calls profile.Validate().
void ReadProfileTable(const toml::table& table, const std::string& path, TomlMistakes& mistakes,
                      model::Profile& profile);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_PROFILE_TABLE_H_
