#include "tools/cli/tls_bench_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "tools/bench/report.h"
#include "tools/cli/choices.h"
#include "tools/cli/exit_codes.h"
#include "tools/cli/progress_line.h"
#include "tools/tls/tls_bench.h"

namespace tools::cli {

void TlsBenchArguments::AddTo(CLI::App& app) {
  CLI::Option* const tls =
      app.add_flag("--tls", wanted,
                   "Compare TLS servers instead: without the card, and with it, notified by fd and "
                   "by callback. --requests counts handshakes, --concurrency counts connections, "
                   "and --completion takes one name (default: interrupt)");
  for (const char* other : {"--operation", "--size", "--work"}) tls->excludes(other);
  AddChoices(app, "--tls-version", versions, ChoicesOf<tls::TlsVersion>(),
             "The TLS version; default: both")
      ->needs(tls);
  AddChoices(app, "--tls-key", keys, ChoicesOf<tls::TlsKey>(), "The server's key; default: all")
      ->needs(tls);
  app.add_option("--client-threads", client_threads, "Threads that run the clients")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str()
      ->needs(tls);
}

int RunTlsBenchCommand(CommonArguments& common, const bench::BenchOptions& bench,
                       const TlsBenchArguments& tls) {
  if (auto resolved = common.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  if (bench.completions.size() != 1) {
    return Fail(kExitBadArguments, fmt::format("--completion: {} given; with --tls allowed: one",
                                               bench.completions.size()));
  }
  tls::TlsBenchOptions options{
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
  for (const load::Notify notify : bench.notifies) {
    options.notifies.push_back(notify == load::Notify::kFd ? tls::TlsNotify::kFd
                                                           : tls::TlsNotify::kCallback);
  }
  common.PrintHeading(
      "bench --tls",
      fmt::format("a TLS server on one thread, {} connections under way from {} client thread(s) "
                  "on the same processors, completion by {}, {} alternating repetitions, the "
                  "median shown",
                  options.concurrency, options.client_threads,
                  hwsim::completion::CompletionModeName(options.card.completion),
                  options.repetitions));
  ProgressLine progress;
  options.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = tls::RunTlsBench(options);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  fmt::print(common.text(), "{}\n{}\n", tls::TlsTable(*reports), tls::TlsVerdict(*reports));
  nlohmann::json json = bench::ToJson(std::span<const bench::RunReport>{});
  for (const tls::TlsReport& report : *reports) json["runs"].push_back(tls::ToJson(report));
  if (auto written = common.MaybeWriteJson(json); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return 0;
}

}  // namespace tools::cli
