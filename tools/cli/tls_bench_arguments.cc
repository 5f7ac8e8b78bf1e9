#include "tools/cli/tls_bench_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "tools/cli/choices.h"
#include "tools/cli/exit_codes.h"
#include "tools/cli/progress_line.h"
#include "tools/report.h"
#include "tools/tls_bench.h"

namespace tools {

void TlsBenchArguments::AddTo(CLI::App& app) {
  CLI::Option* const tls =
      app.add_flag("--tls", wanted,
                   "Compare TLS servers instead: without the card, and with it, notified by fd and "
                   "by callback. --requests counts handshakes, --concurrency counts connections, "
                   "and --completion takes one name (default: interrupt)");
  for (const char* other : {"--operation", "--size", "--work"}) tls->excludes(other);
  AddChoices(app, "--tls-version", versions,
             ChoicesOf({TlsVersion::k12, TlsVersion::k13}, &TlsVersionName),
             "The TLS version; default: both")
      ->needs(tls);
  AddChoices(app, "--tls-key", keys,
             ChoicesOf({TlsKey::kRsa2048, TlsKey::kRsa4096, TlsKey::kEcdsaP256}, &TlsKeyName),
             "The server's key; default: all")
      ->needs(tls);
  app.add_option("--client-threads", client_threads, "Threads that run the clients")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str()
      ->needs(tls);
}

int RunTlsBenchCommand(CommonArguments& common, const BenchOptions& bench,
                       const TlsBenchArguments& tls) {
  if (auto resolved = common.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  if (bench.completions.size() != 1) {
    return Fail(kExitBadArguments, fmt::format("--completion: {} given; with --tls allowed: one",
                                               bench.completions.size()));
  }
  TlsBenchOptions options{
      .card = {.card = common.card,
               .profile = common.profile,
               .config = common.config,
               .completion = bench.completions.front()},
      .versions = tls.versions,
      .keys = tls.keys,
      .concurrency = std::max(bench.concurrency, tls.client_threads),
      .client_threads = tls.client_threads,
      .handshakes = bench.requests,
      .repetitions = bench.repetitions,
  };
  for (const Notify notify : bench.notifies) {
    options.notifies.push_back(notify == Notify::kFd ? TlsNotify::kFd : TlsNotify::kCallback);
  }
  common.PrintHeading(
      "bench --tls",
      fmt::format("a TLS server on one thread, {} connections under way from {} client thread(s) "
                  "on the same processors, completion by {}, {} alternating repetitions, the "
                  "median shown",
                  options.concurrency, options.client_threads,
                  hwsim::CompletionModeName(options.card.completion), options.repetitions));
  ProgressLine progress;
  options.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = RunTlsBench(options);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  fmt::print(common.text(), "{}\n{}\n", TlsTable(*reports), TlsVerdict(*reports));
  nlohmann::json json = ToJson(std::span<const RunReport>{});
  for (const TlsReport& report : *reports) json["runs"].push_back(ToJson(report));
  if (auto written = common.MaybeWriteJson(json); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return 0;
}

}  // namespace tools
