// Reads the profile of one card from a file that describes several cards: the table `[NAME]` is the
// profile of the card NAME.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_PROFILE_SECTION_H_
#define GHOSTCARD_HWSIM_CONFIG_PROFILE_SECTION_H_

#include <string>

#include "hwsim/base/error.h"
#include "hwsim/model/profile.h"

namespace hwsim::config {

// The profile in the table `section`. A file without tables of cards is one profile as a whole:
// each of its top tables belongs to a profile. Fails when the file has tables of cards and none is
// named `section` (the Error lists them), and when the profile has mistakes.
Expected<model::Profile> LoadProfileSection(const std::string& path, const std::string& section);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_PROFILE_SECTION_H_
