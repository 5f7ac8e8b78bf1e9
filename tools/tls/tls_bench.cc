#include "tools/tls/tls_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/openssl/provider/ghostcard_poll.h"
#include "tools/text/table.h"

namespace tools::tls {

using hwsim::Expected;

namespace {

struct Row {
  TlsVersion version{};
  TlsKey key{};
  TlsNotify notify{};
  const TlsIdentity* identity = nullptr;
  uint64_t handshakes = 0;
  std::vector<TlsReport> repetitions;
};

TlsReport Summarise(const Row& row, TlsRunResult result) {
  TlsReport report{.version = row.version, .key = row.key, .notify = row.notify};
  report.handshakes = result.clients.handshakes;
  report.failed = result.clients.failed;
  const double count = static_cast<double>(std::max<uint64_t>(report.handshakes, 1));
  const auto each = [&](hwsim::Duration time) { return static_cast<double>(time.count()) / count; };
  report.handshakes_per_s = count / std::chrono::duration<double>(result.wall).count();
  report.handshakes_per_s_min = report.handshakes_per_s_max = report.handshakes_per_s;
  report.latency_ns = bench::QuantilesOf(result.clients.latencies_ns);
  report.cpu_ns = each(result.cpu);
  report.server_cpu_ns = each(result.server.cpu);
  report.client_cpu_ns = each(result.clients.cpu);
  report.pauses = static_cast<double>(result.server.pauses) / count;
  report.again = result.server.again;
  return report;
}

Expected<TlsReport> RunOnce(const TlsBenchOptions& options, OSSL_LIB_CTX* card, const Row& row,
                            uint64_t handshakes) {
  TlsServerOptions server{.version = row.version,
                          .identity = *row.identity,
                          .notify = row.notify,
                          .connections_max = 2 * options.concurrency};
  if (row.notify != TlsNotify::kNone) {
    server.library = card;
    server.properties = "?provider=ghostcard";
    if (options.card.completion == hwsim::completion::CompletionMode::kInline) {
      server.poll_card = [] { ghostcard_poll(0); };
    }
  }
  const uint64_t in_software = CardCounter(card, "ghostcard-software");
  auto result = RunTls(std::move(server), {.threads = options.client_threads,
                                           .concurrency = options.concurrency,
                                           .connections = handshakes});
  if (!result) return hwsim::Unexpected(std::move(result.error()));
  if (result->clients.failed > 0) {
    return hwsim::Unexpected(
        fmt::format("{} of {} handshakes failed; the first: {}; server: {}", result->clients.failed,
                    handshakes, result->clients.first_failure, result->server.first_failure));
  }
  TlsReport report = Summarise(row, std::move(*result));
  report.concurrency = options.concurrency;
  report.software = CardCounter(card, "ghostcard-software") - in_software;
  return report;
}

// Measures in a short run how many handshakes take about `run_time`.
Expected<uint64_t> Calibrate(const TlsBenchOptions& options, OSSL_LIB_CTX* card, const Row& row) {
  const auto report = RunOnce(options, card, row, 4ull * options.concurrency);
  if (!report) return hwsim::Unexpected(report.error());
  const double wanted =
      report->handshakes_per_s * std::chrono::duration<double>(options.run_time).count();
  return std::max<uint64_t>(static_cast<uint64_t>(wanted), options.concurrency);
}

TlsReport Median(std::vector<TlsReport>& repetitions) {
  std::ranges::sort(repetitions, {}, &TlsReport::ratio_to_no_card);
  const double ratio = repetitions[repetitions.size() / 2].ratio_to_no_card;
  std::ranges::sort(repetitions, {}, &TlsReport::handshakes_per_s);
  TlsReport median = repetitions[repetitions.size() / 2];
  median.repetitions = static_cast<uint32_t>(repetitions.size());
  median.handshakes_per_s_min = repetitions.front().handshakes_per_s;
  median.handshakes_per_s_max = repetitions.back().handshakes_per_s;
  median.ratio_to_no_card = ratio;
  median.software = 0;
  for (const TlsReport& report : repetitions) median.software += report.software;
  return median;
}

Expected<std::map<TlsKey, TlsIdentity>> MakeIdentities(const TlsBenchOptions& options) {
  std::map<TlsKey, TlsIdentity> identities;
  for (const TlsKey key : options.keys) {
    auto identity = TlsIdentity::Create(key);
    if (!identity) return hwsim::Unexpected(std::move(identity.error()));
    identities.emplace(key, std::move(*identity));
  }
  return identities;
}

std::string Describe(TlsVersion version, TlsKey key) {
  return fmt::format("TLS {}, {}", TlsVersionName(version), TlsKeyName(key));
}

}  // namespace

Expected<std::vector<TlsReport>> RunTlsBench(const TlsBenchOptions& options) {
  const auto identities = MakeIdentities(options);
  if (!identities) return hwsim::Unexpected(identities.error());
  const auto card = LoadCard(options.card);
  if (!card) return hwsim::Unexpected(card.error());
  std::vector<TlsNotify> notifies = {TlsNotify::kNone};
  notifies.insert(notifies.end(), options.notifies.begin(), options.notifies.end());
  std::vector<TlsReport> reports;
  const double steps = static_cast<double>(options.versions.size() * options.keys.size() *
                                           notifies.size() * (options.repetitions + 1));
  double step = 0;
  const auto tell = [&](const Row& row) {
    if (!options.progress) return;
    options.progress(Describe(row.version, row.key) + ", " + std::string(TlsNotifyName(row.notify)),
                     step++ / steps);
  };
  for (const TlsVersion version : options.versions) {
    for (const TlsKey key : options.keys) {
      std::vector<Row> rows;
      for (const TlsNotify notify : notifies) {
        Row& row = rows.emplace_back(Row{
            .version = version, .key = key, .notify = notify, .identity = &identities->at(key)});
        tell(row);
        // Also where the number is given: the first run of each row includes late loading.
        const auto calibrated = Calibrate(options, card->get(), row);
        if (!calibrated) return hwsim::Unexpected(calibrated.error());
        row.handshakes = options.handshakes != 0 ? options.handshakes : *calibrated;
      }
      // The rows take turns, so that a drift of the machine's speed affects all rows equally.
      for (uint32_t repetition = 0; repetition < options.repetitions; ++repetition) {
        double no_card = 0;
        for (Row& row : rows) {
          tell(row);
          auto report = RunOnce(options, card->get(), row, row.handshakes);
          if (!report) return hwsim::Unexpected(std::move(report.error()));
          if (row.notify == TlsNotify::kNone) no_card = report->handshakes_per_s;
          if (no_card > 0) report->ratio_to_no_card = report->handshakes_per_s / no_card;
          row.repetitions.push_back(*report);
        }
      }
      for (Row& row : rows) reports.push_back(Median(row.repetitions));
    }
  }
  return reports;
}

std::string TlsTable(std::span<const TlsReport> reports) {
  std::vector<std::vector<std::string>> rows = {
      {"TLS", "key", "notify", "handshakes/s", "min..max", "to no card", "p50", "p90", "p99",
       "p99.9", "CPU/handshake", "server", "clients", "card", "pauses", "EAGAIN"}};
  for (const TlsReport& report : reports) {
    const double card_cpu_ns =
        std::max(0.0, report.cpu_ns - report.server_cpu_ns - report.client_cpu_ns);
    rows.push_back(
        {std::string(TlsVersionName(report.version)), std::string(TlsKeyName(report.key)),
         report.notify == TlsNotify::kNone ? "no card" : std::string(TlsNotifyName(report.notify)),
         text::FormatCount(report.handshakes_per_s),
         text::FormatCount(report.handshakes_per_s_min) + ".." +
             text::FormatCount(report.handshakes_per_s_max),
         report.ratio_to_no_card > 0 ? fmt::format("{:.2f}x", report.ratio_to_no_card) : "-",
         text::FormatNanoseconds(report.latency_ns.p50),
         text::FormatNanoseconds(report.latency_ns.p90),
         text::FormatNanoseconds(report.latency_ns.p99),
         text::FormatNanoseconds(report.latency_ns.p99_9), text::FormatNanoseconds(report.cpu_ns),
         text::FormatNanoseconds(report.server_cpu_ns),
         text::FormatNanoseconds(report.client_cpu_ns), text::FormatNanoseconds(card_cpu_ns),
         fmt::format("{:.2f}", report.pauses),
         text::FormatCount(static_cast<double>(report.again))});
  }
  return text::FormatTable(rows, 3);
}

std::string TlsVerdict(std::span<const TlsReport> reports) {
  std::string text;
  for (const TlsReport& report : reports) {
    if (report.notify == TlsNotify::kNone || report.ratio_to_no_card == 0) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("{}, {}: {:.2f}x", Describe(report.version, report.key),
                        TlsNotifyName(report.notify), report.ratio_to_no_card);
  }
  if (!text.empty()) {
    text = "Handshakes per second, relative to the server without a card: " + text + ".";
  }
  uint64_t software = 0;
  for (const TlsReport& report : reports) software += report.software;
  if (software != 0) {
    text += fmt::format(
        "\nNot the card's work alone: it refused or failed {} requests, which were "
        "done in software.",
        software);
  }
  return text;
}

nlohmann::json ToJson(const TlsReport& report) {
  nlohmann::json json = {{"tls", TlsVersionName(report.version)},
                         {"key", TlsKeyName(report.key)},
                         {"notify", TlsNotifyName(report.notify)},
                         {"concurrency", report.concurrency},
                         {"repetitions", report.repetitions},
                         {"handshakes", report.handshakes},
                         {"failed", report.failed},
                         {"handshakes_per_s", report.handshakes_per_s},
                         {"handshakes_per_s_min", report.handshakes_per_s_min},
                         {"handshakes_per_s_max", report.handshakes_per_s_max},
                         {"ratio_to_no_card", nullptr},
                         {"latency_ns",
                          {{"p50", report.latency_ns.p50},
                           {"p90", report.latency_ns.p90},
                           {"p99", report.latency_ns.p99},
                           {"p99_9", report.latency_ns.p99_9},
                           {"max", report.latency_ns.max}}},
                         {"cpu_ns_per_handshake",
                          {{"process", report.cpu_ns},
                           {"server", report.server_cpu_ns},
                           {"clients", report.client_cpu_ns}}},
                         {"pauses_per_handshake", report.pauses},
                         {"again", report.again},
                         {"software", report.software}};
  if (report.ratio_to_no_card > 0) json["ratio_to_no_card"] = report.ratio_to_no_card;
  return json;
}

}  // namespace tools::tls
