#include "tools/bench/measured_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "hwsim/card/real_card.h"
#include "tools/load/job_load.h"

namespace tools::bench {

using hwsim::Expected;

Quantiles QuantilesOf(std::vector<uint32_t>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double fraction) {
    const double rank = fraction * static_cast<double>(values.size() - 1);
    return static_cast<double>(values[static_cast<size_t>(std::lround(rank))]);
  };
  return {at(0.5), at(0.9), at(0.99), at(0.999), static_cast<double>(values.back())};
}

namespace {

template <typename Field>
Quantiles QuantilesOfField(const std::vector<load::PhaseSample>& samples, Field field) {
  std::vector<uint32_t> values;
  values.reserve(samples.size());
  for (const load::PhaseSample& sample : samples) values.push_back(sample.*field);
  return QuantilesOf(values);
}

}  // namespace

Expected<RunReport> RunOnce(const load::CardOptions& card_options,
                            const load::OperationFactory& operations,
                            const MeasuredRunOptions& options) {
  auto card = hwsim::card::RealCard::Create({.profile = card_options.profile,
                                             .queue_pairs = card_options.queue_pairs,
                                             .depth = card_options.depth,
                                             .transport = card_options.transport,
                                             .execution_threads = card_options.execution_threads,
                                             .do_work = card_options.do_work,
                                             .seed = card_options.seed});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  RunReport report;
  report.transport = (*card)->transport_name();
  report.transport_note = (*card)->transport_note();
  report.depth = (*card)->queue_pairs()[0]->depth();
  auto engine =
      engine::Engine::Create(std::move(*card), {.completion = options.completion,
                                                .poll_interval = card_options.poll_interval,
                                                .retry = options.retry,
                                                .callback_when_space = true});
  if (!engine) return hwsim::Unexpected(std::move(engine.error()));
  auto result = load::RunJobLoad(**engine, operations,
                                 {.notify = options.notify,
                                  .concurrency = options.concurrency,
                                  .requests = options.requests,
                                  .progress = options.progress});
  if (!result) return hwsim::Unexpected(std::move(result.error()));

  report.completion = options.completion;
  report.notify = options.notify;
  report.retry = options.retry;
  report.operation = options.operation;
  report.concurrency = options.concurrency;
  report.requests = result->finished;
  report.ok = result->ok;
  report.again = result->again;
  report.err = result->err;
  const double count = static_cast<double>(std::max<uint64_t>(result->finished, 1));
  report.ops_per_s =
      static_cast<double>(result->ok) / std::chrono::duration<double>(result->wall).count();
  report.ops_per_s_min = report.ops_per_s_max = report.ops_per_s;
  report.latency_ns = QuantilesOfField(result->samples, &load::PhaseSample::total_ns);
  report.queueing_ns = QuantilesOfField(result->samples, &load::PhaseSample::queueing_ns);
  report.service_ns = QuantilesOfField(result->samples, &load::PhaseSample::service_ns);
  report.notification_ns = QuantilesOfField(result->samples, &load::PhaseSample::notification_ns);
  report.cpu_ns_per_op = static_cast<double>(result->cpu.count()) / count;
  report.wakeups_per_completion = static_cast<double>(result->sleeps) / count;
  const hwsim::card::Card::Stats stats = (*engine)->card().stats();
  report.lateness_ns_mean = static_cast<double>(stats.lateness_total.count()) /
                            static_cast<double>(std::max<uint64_t>(stats.completed, 1));
  report.lateness_ns_max = static_cast<double>(stats.lateness_max.count());
  report.retries = std::move(result->retries);
  report.finished_per_job = std::move(result->finished_per_job);
  report.engine = (*engine)->stats();
  return report;
}

}  // namespace tools::bench
