// Profiles from TOML, and the ones that ship.
//
// A file is read whole and every mistake in it is reported, each as
// "FILE:LINE: KEY: what was given; what is allowed". An unknown key is a mistake.
// CONFIGURATION.md beside this file lists every key.
#ifndef GHOSTCARD_HWSIM_MODEL_PROFILE_TOML_H_
#define GHOSTCARD_HWSIM_MODEL_PROFILE_TOML_H_

#include <span>
#include <string>
#include <string_view>

#include "hwsim/model/profile.h"

namespace hwsim {

// `origin` stands for the file's name in errors. A file may say `profile = "NAME"`
// (one that ships) and then only what differs from it.
Expected<Profile> ParseProfile(std::string_view toml, std::string_view origin);
Expected<Profile> LoadProfile(const std::string& path);

// "ideal", "qat-4xxx", "qat-c62x", "dsa": compiled in from hwsim/model/profiles/*.toml.
std::span<const std::string_view> ShippedProfileNames();
// An unknown name answers an Error that lists the known ones.
Expected<Profile> ShippedProfile(std::string_view name);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_PROFILE_TOML_H_
