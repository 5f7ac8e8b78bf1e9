// What is said of each mistake in a file, and that nothing in a file crashes the reader.
#include "hwsim/config/profile_toml.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <ostream>
#include <random>
#include <string>

#include "hwsim/config/shipped_profiles.h"
#include "hwsim/config/toml_reader.h"

namespace hwsim::config {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Distribution = model::LatencyModel::Distribution;

std::string MessageOf(std::string_view toml) {
  const Expected<model::Profile> profile = ParseProfile(toml, "a.toml");
  return profile ? "no mistake" : profile.error().message;
}

TEST(ParseProfileTest, EmptyFileIsTheIdealCard) {
  const model::Profile profile = ParseProfile("", "a.toml").value();
  EXPECT_EQ(profile.name, "ideal");
  EXPECT_EQ(profile.service_units, model::Profile().service_units);
}

// A file with every key.
constexpr const char kEveryKey[] = R"(
name = "mine"
source = "made up"
queue_pairs_max = 4
depth = 16
engines = 3
moderation = { count = 8, time = "20us" }
transit = "5us"
[operation.copy]
service = { distribution = "uniform", min = "1us", range = "2us", ns_per_byte = 0.5 }
rate_per_s_max = 1000
[operation.other]
service = { distribution = "min_exponential", min = "10ns", mean_above_min = "20ns" }
[operation.null]
service = { distribution = "lognormal", median = "1ms", sigma = 0.5 }
[operation.sha256]
service = { distribution = "exponential", mean = "3us" }
[operation.deflate]
service = { distribution = "fixed", time = "4us" }
[[fault]]
kind = "submit_refused"
probability = 0.25
operation = "sha256"
queue_pair = 3
count_max = 9
[[fault]]
kind = "completion_error"
every_nth = 5
)";

TEST(ParseProfileTest, EveryKeyArrives) {
  const model::Profile profile = ParseProfile(kEveryKey, "a.toml").value();
  EXPECT_EQ(profile.name, "mine");
  EXPECT_EQ(profile.source, "made up");
  EXPECT_EQ(profile.queue_pairs_max, 4u);
  EXPECT_EQ(profile.depth, 16u);
  EXPECT_EQ(profile.service_units, 3u);
  EXPECT_EQ(profile.moderation.count, 8u);
  EXPECT_EQ(profile.moderation.time, microseconds(20));
  EXPECT_EQ(profile.transit.base, microseconds(5));
  EXPECT_EQ(profile.transit.distribution, Distribution::kFixed);
  const model::OperationCost& copy = profile.cost(operations::OperationKind::kCopy);
  EXPECT_EQ(copy.service.distribution, Distribution::kUniform);
  EXPECT_EQ(copy.service.base, microseconds(1));
  EXPECT_EQ(copy.service.spread, microseconds(2));
  EXPECT_EQ(copy.service.ns_per_byte, 0.5);
  EXPECT_EQ(copy.rate_per_s_max, 1000);
  const model::LatencyModel& other = profile.cost(operations::OperationKind::kOther).service;
  EXPECT_EQ(other.distribution, Distribution::kMinExponential);
  EXPECT_EQ(other.base, nanoseconds(10));
  EXPECT_EQ(other.spread, nanoseconds(20));
  const model::LatencyModel& null = profile.cost(operations::OperationKind::kNull).service;
  EXPECT_EQ(null.distribution, Distribution::kLognormal);
  EXPECT_EQ(null.base, milliseconds(1));
  EXPECT_EQ(null.sigma, 0.5);
  const model::LatencyModel& sha256 = profile.cost(operations::OperationKind::kSha256).service;
  EXPECT_EQ(sha256.distribution, Distribution::kExponential);
  EXPECT_EQ(sha256.base, microseconds(3));
  EXPECT_EQ(profile.cost(operations::OperationKind::kDeflate).service.base, microseconds(4));
  ASSERT_EQ(profile.faults.rules.size(), 2u);
  const faults::FaultRule& refused = profile.faults.rules[0];
  EXPECT_EQ(refused.kind, faults::FaultKind::kSubmitRefused);
  EXPECT_EQ(refused.probability, 0.25);
  EXPECT_EQ(refused.every_nth, 0u);
  EXPECT_EQ(refused.operation, operations::OperationKind::kSha256);
  EXPECT_EQ(refused.queue_pair, 3u);
  EXPECT_EQ(refused.count_max, 9u);
  EXPECT_EQ(profile.faults.rules[1].kind, faults::FaultKind::kCompletionError);
  EXPECT_EQ(profile.faults.rules[1].every_nth, 5u);
  EXPECT_EQ(profile.faults.rules[1].operation, std::nullopt);
}

TEST(ParseProfileTest, BaseGivesWhatTheFileDoesNotSay) {
  const model::Profile base = ShippedProfile("qat-4xxx").value();
  const model::Profile profile =
      ParseProfile("profile = 'qat-4xxx'\nengines = 2\n[moderation]\ncount = 1\n", "a.toml")
          .value();
  EXPECT_EQ(profile.service_units, 2u);
  EXPECT_EQ(profile.moderation.count, 1u);
  EXPECT_EQ(profile.moderation.time, base.moderation.time);
  EXPECT_EQ(profile.name, base.name);
  EXPECT_EQ(profile.cost(operations::OperationKind::kRsa2048Sign).rate_per_s_max, 60'000);
}

TEST(ParseProfileTest, WholeNumberDoesForANumber) {
  const model::Profile profile =
      ParseProfile("operation.null.rate_per_s_max = 7\n", "a.toml").value();
  EXPECT_EQ(profile.cost(operations::OperationKind::kNull).rate_per_s_max, 7);
}

struct Mistake {
  std::string name;
  std::string toml;
  std::string message;
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.toml; }

// The names of all kinds of fault, as mistakes list them.
std::string Kinds() {
  std::string kinds;
  for (const faults::FaultForm& form : faults::FaultForms()) {
    kinds += (kinds.empty() ? "" : ", ") + std::string(form.name);
  }
  return kinds;
}

class ParseProfileMistakeTest : public ::testing::TestWithParam<Mistake> {};

TEST_P(ParseProfileMistakeTest, IsReportedWithItsLineAndWhatIsAllowed) {
  EXPECT_EQ(MessageOf(GetParam().toml), GetParam().message);
}

constexpr std::string_view kTimes =
    "; allowed: a time from \"0ns\" to \"3600s\", with its unit: ns, us, ms or s";

INSTANTIATE_TEST_SUITE_P(
    Values, ParseProfileMistakeTest,
    ::testing::Values(
        Mistake{"StringForANumber", "\ndepth = '64'",
                "a.toml:2: depth: '64' given; allowed: a whole number from 1 to 32768"},
        Mistake{"FractionForAWholeNumber", "engines = 1.5",
                "a.toml:1: engines: 1.5 given; allowed: a whole number from 1 to 65536"},
        Mistake{"TrueForANumber", "queue_pairs_max = true",
                "a.toml:1: queue_pairs_max: true given; allowed: a whole number from 1 to 1024"},
        Mistake{"ArrayForANumber", "depth = [1]",
                "a.toml:1: depth: an array given; allowed: a whole number from 1 to 32768"},
        Mistake{"TableForANumber", "[depth]",
                "a.toml:1: depth: a table given; allowed: a whole number from 1 to 32768"},
        Mistake{"NumberForAString", "name = 5", "a.toml:1: name: 5 given; allowed: a string"},
        Mistake{"NumberForATable", "moderation = 5",
                "a.toml:1: moderation: 5 given; allowed: a table"},
        Mistake{"StringForOperations", "operation = 'null'",
                "a.toml:1: operation: 'null' given; allowed: a table"},
        Mistake{"NumberForOneOperation", "[operation]\nnull = 1",
                "a.toml:2: operation.null: 1 given; allowed: a table"},
        Mistake{"TooSmall", "depth = 0",
                "a.toml:1: depth: 0 given; allowed: a whole number from 1 to 32768"},
        Mistake{"Negative", "depth = -1",
                "a.toml:1: depth: -1 given; allowed: a whole number from 1 to 32768"},
        Mistake{"TooLarge", "[moderation]\ncount = 5000",
                "a.toml:2: moderation.count: 5000 given; allowed: a whole number from 1 to 4096"},
        Mistake{"RateTooLarge", "operation.copy.rate_per_s_max = 1e13",
                "a.toml:1: operation.copy.rate_per_s_max: 10000000000000.0 given; allowed: a "
                "number from 0 to "
                "1e+09"},
        Mistake{"RateTooSlow", "operation.copy.rate_per_s_max = 1e-9",
                "a.toml:1: operation.copy.rate_per_s_max: slower than 0.001 given; allowed: 0 (no "
                "cap), or a number from 0.001 up"},
        Mistake{"HeartbeatThatNeverRests", "[health]\nheartbeat = '0ns'",
                "a.toml:2: health.heartbeat: shorter than \"1us\""},
        Mistake{"ResetThatTakesTooLong", "[health]\nreset = '61s'",
                "a.toml:2: health.reset: '61s' given; allowed: a time from \"0ns\" to \"60s\", "
                "with its unit: ns, us, ms or s"},
        Mistake{"RateIsNoNumber", "operation.copy.rate_per_s_max = nan",
                "a.toml:1: operation.copy.rate_per_s_max: nan given; allowed: a number from 0 to "
                "1e+09"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Keys, ParseProfileMistakeTest,
    ::testing::Values(
        Mistake{"UnknownKeyNearAKnownOne", "dephts = 5",
                "a.toml:1: dephts: no such key; did you mean 'depth'?"},
        Mistake{"UnknownKeyFarFromAll", "frobnicate = 5",
                "a.toml:1: frobnicate: no such key; allowed: profile, name, source, "
                "queue_pairs_max, depth, engines, moderation, health, transit, operation, fault"},
        // The list once named a key twice that was read twice.
        Mistake{"UnknownKeyBesideABase", "profile = 'ideal'\nfrobnicate = 5",
                "a.toml:2: frobnicate: no such key; allowed: profile, name, source, "
                "queue_pairs_max, depth, engines, moderation, health, transit, operation, fault"},
        Mistake{"UnknownKeyOfAnOperation", "[operation.copy]\nservice = '1us'\nfrobnicate = 1",
                "a.toml:3: operation.copy.frobnicate: no such key; allowed: service, "
                "rate_per_s_max"},
        Mistake{"UnknownOperation", "[operation.sha265]\nservice = '1us'",
                "a.toml:1: operation.sha265: no such key; did you mean 'sha256'?"},
        Mistake{"UnknownKeyOfModeration", "[moderation]\ntimes = '1us'",
                "a.toml:2: moderation.times: no such key; did you mean 'time'?"},
        Mistake{"KeyOfAnotherDistribution",
                "transit = { distribution = 'fixed', time = '1us', sigma = 1 }",
                "a.toml:1: transit.sigma: no such key; allowed: distribution, time, ns_per_byte"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Latencies, ParseProfileMistakeTest,
    ::testing::Values(
        Mistake{"TimeWithoutUnit", "transit = '12'",
                "a.toml:1: transit: '12' given" + std::string(kTimes)},
        Mistake{"TimeOfANumber", "transit = 12",
                "a.toml:1: transit: 12 given" + std::string(kTimes)},
        Mistake{"TimeWithAnotherUnit", "transit = '2 min'",
                "a.toml:1: transit: '2 min' given" + std::string(kTimes)},
        Mistake{"NegativeTime", "transit = '-1us'",
                "a.toml:1: transit: '-1us' given" + std::string(kTimes)},
        Mistake{"TooLongTime", "transit = '3601s'",
                "a.toml:1: transit: '3601s' given" + std::string(kTimes)},
        Mistake{"TimeBeyondAllBounds", "transit = '1e300s'",
                "a.toml:1: transit: '1e300s' given" + std::string(kTimes)},
        Mistake{"TooLongModeration", "[moderation]\ntime = '11ms'",
                "a.toml:2: moderation.time: '11ms' given; allowed: a time from \"0ns\" to "
                "\"10ms\", with its unit: ns, us, ms or s"},
        // The keys beside it once were mistakes as well, being no keys of another distribution.
        Mistake{"UnknownDistribution",
                "[operation.null]\nservice = { distribution = 'normal', "
                "mean = '1us' }",
                "a.toml:2: operation.null.service.distribution: 'normal' given; allowed: fixed, "
                "uniform, exponential, lognormal, min_exponential"},
        Mistake{"DistributionOfANumber", "transit = { distribution = 3 }",
                "a.toml:1: transit.distribution: 3 given; allowed: fixed, uniform, exponential, "
                "lognormal, min_exponential"},
        Mistake{"TooLargeSigma",
                "transit = { distribution = 'lognormal', median = '1us', sigma = 5 }",
                "a.toml:1: transit.sigma: 5 given; allowed: a number from 0 to 4"},
        Mistake{"BadParameter", "transit = { distribution = 'uniform', min = '1us', range = 7 }",
                "a.toml:1: transit.range: 7 given" + std::string(kTimes)}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Faults, ParseProfileMistakeTest,
    ::testing::Values(
        Mistake{"NoTable", "fault = 3",
                "a.toml:1: fault: 3 given; allowed: tables, each under [[fault]]"},
        Mistake{"NoArray", "[fault]\nkind = 'completion_error'",
                "a.toml:1: fault: a table given; allowed: tables, each under [[fault]]"},
        Mistake{"ArrayOfNumbers", "fault = [1]",
                "a.toml:1: fault: an array given; allowed: tables, each under [[fault]]"},
        Mistake{"NoKind", "[[fault]]\nevery_nth = 1",
                "a.toml:1: fault[0].kind: not given; one of " + Kinds() + " is needed"},
        Mistake{"UnknownKind", "[[fault]]\nkind = 'fire'\nevery_nth = 1",
                "a.toml:2: fault[0].kind: 'fire' given; allowed: " + Kinds()},
        Mistake{"NoTrigger", "[[fault]]\nkind = 'completion_error'",
                "a.toml:1: fault[0]." + std::string(faults::kFaultTriggers) +
                    ": one of them is needed"},
        Mistake{"BothTriggers",
                "[[fault]]\nkind = 'completion_error'\nprobability = 0.1\nevery_nth = 2",
                "a.toml:1: fault[0].probability, every_nth, nth, at: only one of them is "
                "allowed"},
        Mistake{"WindowThatEndsBeforeItBegins",
                "[[fault]]\nkind = 'completion_error'\nfrom = '2ms'\nuntil = '1ms'",
                "a.toml:4: fault[0].until: not later than from"},
        Mistake{"ParameterThatTheKindDoesNotRead",
                "[[fault]]\nkind = 'completion_error'\nnth = 1\ntime = '2ms'",
                "a.toml:4: fault[0].time: completion_error does not read it"},
        Mistake{"FactorBelowOne", "[[fault]]\nkind = 'throttled'\nnth = 1\nfactor = 0.5",
                "a.toml:4: fault[0].factor: 0.5 given; allowed: a number from 1 to 1e+06"},
        Mistake{"ProbabilityAboveOne", "[[fault]]\nkind = 'completion_error'\nprobability = 1.5",
                "a.toml:3: fault[0].probability: 1.5 given; allowed: a number above 0, up to 1"},
        Mistake{"ProbabilityOfZero", "[[fault]]\nkind = 'completion_error'\nprobability = 0",
                "a.toml:3: fault[0].probability: 0 given; allowed: a number above 0, up to 1"},
        Mistake{"EveryZeroth", "[[fault]]\nkind = 'completion_error'\nevery_nth = 0",
                "a.toml:3: fault[0].every_nth: 0 given; allowed: a whole number from 1 up"},
        Mistake{"UnknownOperation",
                "[[fault]]\nkind = 'completion_error'\nevery_nth = 1\noperation = 'md5'",
                "a.toml:4: fault[0].operation: 'md5' given; allowed: null, copy, crc32c, sha256, "
                "aes128_gcm, aes256_gcm, rsa2048_sign, rsa4096_sign, ecdsa_p256_sign, x25519, "
                "deflate, other"},
        Mistake{"QueuePairThatIsNotThere",
                "queue_pairs_max = 2\n[[fault]]\nkind = 'completion_error'\nevery_nth = "
                "1\nqueue_pair = 2",
                "a.toml:5: fault[0].queue_pair: 2 given; allowed: a whole number from 0 to 1"},
        Mistake{"NoCount", "[[fault]]\nkind = 'completion_error'\nevery_nth = 1\ncount_max = 0",
                "a.toml:4: fault[0].count_max: 0 given; allowed: a whole number from 1 up"},
        Mistake{"UnknownKeyOfTheSecond",
                "[[fault]]\nkind = 'completion_error'\nevery_nth = 1\n[[fault]]\nkind = "
                "'completion_error'\nevery_nht = 1\nprobability = 1",
                "a.toml:6: fault[1].every_nht: no such key; did you mean 'every_nth'?"}),
    [](const auto& info) { return info.param.name; });

constexpr std::string_view kShipped = "given; profiles that ship: ideal, qat-4xxx, qat-c62x, dsa";

INSTANTIATE_TEST_SUITE_P(
    Bases, ParseProfileMistakeTest,
    ::testing::Values(
        Mistake{"Unknown", "\nprofile = 'qat'",
                "a.toml:2: profile: 'qat' " + std::string(kShipped)},
        // Once taken for no base at all, without a word.
        Mistake{"EmptyName", "profile = ''", "a.toml:1: profile: '' " + std::string(kShipped)},
        Mistake{"NoName", "profile = 4", "a.toml:1: profile: 4 given; allowed: a string"}),
    [](const auto& info) { return info.param.name; });

TEST(ParseProfileTest, SyntaxErrorNamesTheLine) {
  const std::string message = MessageOf("depth = 5\nengines = \n");
  EXPECT_TRUE(message.starts_with("a.toml:2: not TOML: ")) << message;
}

// The library's assertion once ended the program.
TEST(ParseProfileTest, TableNameThatBeginsWithAPointIsASyntaxError) {
  for (const char* toml : {"[.a]", "[=]", "[[.a]]", "[-\n"}) {
    const std::string message = MessageOf(toml);
    EXPECT_TRUE(message.starts_with("a.toml:1: not TOML: ")) << toml << ": " << message;
  }
}

TEST(ParseProfileTest, KeyGivenTwiceIsASyntaxErrorWithItsLine) {
  const std::string message = MessageOf("depth = 5\nengines = 3\ndepth = 6\n");
  EXPECT_TRUE(message.starts_with("a.toml:3: not TOML: ")) << message;
}

TEST(ParseProfileTest, EveryMistakeIsReported) {
  EXPECT_EQ(MessageOf("profile = 'x'\ndepth = 0\nengine = 3\ntransit = '5'\n[[fault]]\nkind = "
                      "'fire'\n"),
            "a.toml:1: profile: 'x' given; profiles that ship: ideal, qat-4xxx, qat-c62x, dsa\n"
            "a.toml:2: depth: 0 given; allowed: a whole number from 1 to 32768\n"
            "a.toml:4: transit: '5' given" +
                std::string(kTimes) +
                "\n"
                "a.toml:6: fault[0].kind: 'fire' given; allowed: " +
                Kinds() + "\na.toml:5: fault[0]." + std::string(faults::kFaultTriggers) +
                ": one of them is needed\n"
                "a.toml:3: engine: no such key; did you mean 'engines'?");
}

TEST(ParseProfileTest, EveryKindOfFaultWithAllThatItReads) {
  for (const faults::FaultForm& form : faults::FaultForms()) {
    std::string toml = "[[fault]]\nkind = '" + std::string(form.name) +
                       "'\nnth = 3\nfrom = '1ms'\nuntil = '2ms'\nin_flight_min = 4\n";
    if (form.time) toml += "time = '7us'\n";
    if (form.times) toml += "times = 8\n";
    if (form.factor) toml += "factor = 1.5\n";
    if (form.idle) toml += "idle = '9us'\n";
    const auto profile = ParseProfile(toml, "a.toml");
    ASSERT_TRUE(profile) << profile.error().message;
    const faults::FaultRule& rule = profile->faults.rules.at(0);
    EXPECT_EQ(rule.kind, form.kind);
    EXPECT_EQ(rule.nth, 3u);
    EXPECT_EQ(rule.from, milliseconds(1));
    EXPECT_EQ(rule.until, milliseconds(2));
    EXPECT_EQ(rule.in_flight_min, 4u);
    EXPECT_EQ(rule.time.has_value(), form.time.has_value());
    EXPECT_EQ(rule.time.value_or(microseconds(7)), microseconds(7));
    EXPECT_EQ(rule.times.value_or(8), 8u);
    EXPECT_EQ(rule.factor.value_or(1.5), 1.5);
    EXPECT_EQ(rule.idle.value_or(microseconds(9)), microseconds(9));
  }
}

TEST(ParseProfileTest, FaultsOfAFileReplaceItsBases) {
  const model::Profile profile = ParseProfile("profile = 'dsa'\nfault = []\n", "a.toml").value();
  EXPECT_TRUE(profile.faults.rules.empty());
}

// --- times ---

TEST(ParseTimeTest, ReadsEachUnit) {
  EXPECT_EQ(ParseTime("250ns"), nanoseconds(250));
  EXPECT_EQ(ParseTime("12.5us"), nanoseconds(12'500));
  EXPECT_EQ(ParseTime("3ms"), milliseconds(3));
  EXPECT_EQ(ParseTime("1s"), std::chrono::seconds(1));
  EXPECT_EQ(ParseTime("5 us"), microseconds(5));
  EXPECT_EQ(ParseTime("1e3us"), milliseconds(1));
}

TEST(ParseTimeTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", " ", "us", "5", "5 ", "5m", "5usx", "nan us", "inf s", "0x5us",
                           " 5us", "1e99s", "-1e300s", "5 us "}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(FormatTimeTest, WritesWhatParseTimeReads) {
  EXPECT_EQ(FormatTime(nanoseconds(0)), "0ns");
  EXPECT_EQ(FormatTime(nanoseconds(12'500)), "12.5us");
  EXPECT_EQ(FormatTime(hours(1)), "3600s");
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const nanoseconds time(static_cast<int64_t>(random() % 3'600'000'000'000));
    ASSERT_EQ(ParseTime(FormatTime(time)), time) << FormatTime(time) << ", seed 3";
  }
}

// --- files ---

TEST(LoadProfileTest, FileThatIsNotThereIsAnErrorOfTheSystem) {
  const auto profile = LoadProfile("/nowhere/a.toml");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().message, "/nowhere/a.toml: No such file or directory (ENOENT)");
  EXPECT_EQ(profile.error().error_number, ENOENT);
}

TEST(LoadProfileTest, DirectoryIsAnErrorOfTheSystem) {
  const auto profile = LoadProfile(::testing::TempDir());
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().error_number, EISDIR);
}

std::string Written(const std::string& name, std::string_view text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// Once an input/output error.
TEST(LoadProfileTest, EmptyFileIsTheIdealCard) {
  const auto profile = LoadProfile(Written("empty.toml", ""));
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->name, "ideal");
}

TEST(LoadProfileTest, LongFileIsReadWhole) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "# a comment\n";
  const auto profile = LoadProfile(Written("long.toml", text + "depth = 7\n"));
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->depth, 7u);
}

TEST(LoadProfileTest, MistakeIsReportedUnderThePath) {
  const std::string path = Written("bad.toml", "depth = 0\n");
  EXPECT_EQ(LoadProfile(path).error().message,
            path + ":1: depth: 0 given; allowed: a whole number from 1 to 32768");
}

// --- damaged files ---

// Whatever is in it, a file is either read or refused with a message.
void ExpectAnAnswer(const std::string& toml) {
  const Expected<model::Profile> profile = ParseProfile(toml, "a.toml");
  if (profile) {
    ASSERT_TRUE(profile->Validate()) << toml;
  } else {
    ASSERT_TRUE(profile.error().message.starts_with("a.toml:")) << profile.error().message;
  }
}

TEST(ParseProfileTest, TruncatedFilesAreReadOrRefused) {
  for (const ShippedProfileText& shipped : ShippedProfileTexts()) {
    for (size_t size = 0; size < shipped.toml.size(); size += 3) {
      SCOPED_TRACE(std::string(shipped.name) + " cut at " + std::to_string(size));
      ASSERT_NO_FATAL_FAILURE(ExpectAnAnswer(std::string(shipped.toml.substr(0, size))));
    }
  }
}

TEST(ParseProfileTest, MutatedFilesAreReadOrRefused) {
  constexpr std::string_view kPieces[] = {
      "[",       "]",     "{",   "}",           "\"", "'",    "=",   "\n",
      "-",       "1e999", "nan", "[[fault]]\n", ".",  "\xff", "\\u", "99999999999999999999",
      "profile", "0x"};
  const auto shipped = ShippedProfileTexts();
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::string text(shipped[random() % shipped.size()].toml);
    for (unsigned i = 0, changes = 1 + random() % 6; i < changes; ++i) {
      const size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, 1 + random() % 20);
          if (text.empty()) text = "\n";
          break;
        case 2:
          text.insert(at, kPieces[random() % std::size(kPieces)]);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), random() % 80));
          break;
      }
    }
    ASSERT_NO_FATAL_FAILURE(ExpectAnAnswer(text));
  }
}

}  // namespace
}  // namespace hwsim::config
