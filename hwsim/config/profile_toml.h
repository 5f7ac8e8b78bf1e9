// Reads profiles from TOML, and gives the profiles that ship.
//
// Every mistake in a file is reported, each as "FILE:LINE: KEY: what was given; what is allowed".
// An unknown key is a mistake. CONFIGURATION.md lists every key.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_PROFILE_TOML_H_
#define GHOSTCARD_HWSIM_CONFIG_PROFILE_TOML_H_

#include <span>
#include <string>
#include <string_view>

#include "hwsim/model/profile.h"

namespace hwsim::config {

// Errors name the file `origin`. A file may say `profile = "NAME"`, the name of a profile that
// ships, and then only what differs from it.
Expected<model::Profile> ParseProfile(std::string_view toml, std::string_view origin);
Expected<model::Profile> LoadProfile(const std::string& path);

// "ideal", "qat-4xxx", "qat-c62x", "dsa": compiled in from hwsim/config/profiles/*.toml.
std::span<const std::string_view> ShippedProfileNames();
// Fails for an unknown name with an Error that lists the known names.
Expected<model::Profile> ShippedProfile(std::string_view name);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_PROFILE_TOML_H_
