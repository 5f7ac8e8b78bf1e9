// Reads a profile from a table of a TOML file that holds other things as well.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_MODEL_PROFILE_TABLE_H_
#define GHOSTCARD_HWSIM_MODEL_PROFILE_TABLE_H_

#include <string>

#include "hwsim/model/profile.h"
#include "hwsim/model/toml_reader.h"

namespace hwsim {

// The keys are those of a profile file. `path` stands before each in mistakes: "card.". What is not
// given stays as it is in `profile`, unless the table names another to begin with. For the caller
// to Validate() when there are no mistakes.
void ReadProfileTable(const toml::table& table, const std::string& path, TomlMistakes& mistakes,
                      Profile& profile);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_PROFILE_TABLE_H_
