// One card of a file that describes several: `[NAME]` and what stands in it is the profile.
#ifndef GHOSTCARD_HWSIM_MODEL_PROFILE_SECTION_H_
#define GHOSTCARD_HWSIM_MODEL_PROFILE_SECTION_H_

#include <string>

#include "hwsim/error.h"
#include "hwsim/model/profile.h"

namespace hwsim {

// The section of that name; the whole file where it has no sections of cards (no table at its top
// that is not a profile's own). Fails on a file with sections of which none has that name, and
// names them; and on mistakes in the one that has it.
Expected<Profile> LoadProfileSection(const std::string& path, const std::string& section);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_PROFILE_SECTION_H_
