#include "tools/cli/common_arguments.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "hwsim/config/known_names.h"
#include "hwsim/config/profile_toml.h"
#include "tools/cli/choices.h"
#include "tools/text/environment.h"
#include "tools/text/json_file.h"

namespace tools::cli {

void CommonArguments::AddTo(CLI::App& app, const std::string& default_profile) {
  profile = default_profile;
  AddChoice(app, "--transport", card.transport, ChoicesOf<hwsim::rings::TransportKind>(),
            "How requests travel: through io_uring, through rings in shared memory, or through "
            "io_uring if the kernel permits it");
  CLI::Option* const named =
      app.add_option("--profile", profile,
                     "The simulated card: " +
                         hwsim::config::JoinedNames(hwsim::config::ShippedProfileNames()))
          ->capture_default_str();
  app.add_option("--config", config, "A TOML file that describes the card, instead of --profile")
      ->excludes(named);
  app.add_option("--depth", card.depth, "Requests in flight at most; 0: as the profile says")
      ->check(CLI::Range(0u, 32768u));
  app.add_option("--queue-pairs", card.queue_pairs, "Queue pairs")->check(CLI::Range(1u, 1024u));
  app.add_option("--execution-threads", card.execution_threads,
                 "Threads that execute the card's operations; 0: one per processor")
      ->check(CLI::Range(0u, 64u));
  AddChoice(app, "--work", card.do_work, WorkChoices(),
            "Whether operations are executed, or only take their modelled time");
  app.add_option("--poll-interval-us", poll_interval_us,
                 "Polling: microseconds between two looks for completions; 0: no pause")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--seed", card.seed, "Seed of all random numbers")
      ->check(WholeNumber())
      ->capture_default_str();
  app.add_option("--json", json, "Write the results to this file as JSON; -: standard output");
}

hwsim::Expected<void> CommonArguments::Resolve() {
  auto loaded =
      config.empty() ? hwsim::config::ShippedProfile(profile) : hwsim::config::LoadProfile(config);
  if (!loaded) return hwsim::Unexpected(std::move(loaded.error()));
  card.profile = std::move(*loaded);
  card.poll_interval = std::chrono::nanoseconds(static_cast<int64_t>(poll_interval_us * 1000));
  if (card.queue_pairs > card.profile.queue_pairs_max) {
    return hwsim::Unexpected(fmt::format("--queue-pairs: {} given; card '{}' has at most {}",
                                         card.queue_pairs, card.profile.name,
                                         card.profile.queue_pairs_max));
  }
  return json.empty() ? hwsim::Expected<void>{} : text::CheckWritable(json);
}

void CommonArguments::PrintHeading(const std::string& command, const std::string& load) const {
  fmt::print(text(), "ghostcard {}: simulated card '{}' ({})\n{}\n", command, card.profile.name,
             card.profile.source, load);
  for (const auto& [name, value] : text::Environment())
    fmt::print(text(), "  {}: {}\n", name, value);
  if (!text::IsOptimisedBuild()) {
    fmt::print(text(),
               "WARNING: this program was built without optimisation or with a sanitizer: the "
               "figures mean nothing. Build with bazel build -c opt.\n");
  }
  fmt::print(text(), "\n");
  std::fflush(text());
}

hwsim::Expected<void> CommonArguments::MaybeWriteJson(const nlohmann::json& results) const {
  if (json.empty()) return {};
  return text::WriteJson(json, results);
}

}  // namespace tools::cli
