// The ENGINE's control commands: their effect, and their errors for bad input and for a command at
// the wrong time.
#include <algorithm>
#include <thread>

#include "engine/openssl/engine/commands.h"
#include "hwsim/base/fd.h"
#include "tests/engine/openssl/engine_fixture.h"

namespace tests {
namespace {

using engine::openssl::OffloadOptions;
using hwsim::IsReadable;

const char* const kBeforeStart[] = {"ENABLE_EXTERNAL_POLLING",           "ENABLE_INLINE_POLLING",
                                    "ENABLE_EVENT_DRIVEN_POLLING_MODE",  "ENABLE_HEURISTIC_POLLING",
                                    "DISABLE_EVENT_DRIVEN_POLLING_MODE", "ENABLE_SW_FALLBACK"};

// The error queue contains each of `parts`.
void ExpectErrorNames(std::initializer_list<std::string> parts) {
  const std::string errors = Errors();
  for (const std::string& part : parts) {
    EXPECT_NE(errors.find(part), std::string::npos) << part << " is not in\n" << errors;
  }
  EXPECT_NE(errors.find("ghostcard"), std::string::npos) << errors;
}

// The options that have a command.
std::vector<std::string_view> OwnOptions() {
  std::vector<std::string_view> names = OffloadOptions::Names();
  std::erase_if(names, [](std::string_view name) {  // an ENGINE cannot do this work
    return name == "threshold_mac" || name == "threshold_ctr" || name == "threshold_kdf";
  });
  return names;
}

std::string InCapitals(std::string_view name) {
  std::string capitals(name);
  for (char& letter : capitals) letter = static_cast<char>(::toupper(letter));
  return capitals;
}

TEST(EngineCommandsTest, TableHasEachNameOnceAndADescription) {
  std::vector<std::string> names;
  for (const ENGINE_CMD_DEFN* row = engine::openssl::engine::CommandTable(); row->cmd_num != 0;
       ++row) {
    names.emplace_back(row->cmd_name);
    EXPECT_EQ(row->cmd_num, ENGINE_CMD_BASE + names.size() - 1);
    EXPECT_GT(std::string(row->cmd_desc).size(), 5u) << row->cmd_name;
  }
  for (const std::string_view option : OwnOptions()) {
    EXPECT_EQ(std::count(names.begin(), names.end(), InCapitals(option)), 1) << option;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(EngineCommandsTest, AnswersToItsNamesAndToThePathOfItsFile) {
  InProcess([] {
    dynamic_fns functions{};
    functions.static_state = ENGINE_get_static_state();
    for (const auto& [asked, id] : {std::pair{"ghostcard", "ghostcard"},
                                    {"qatengine", "qatengine"},
                                    {static_cast<const char*>(nullptr), "ghostcard"},
                                    {"/some/where/ghostcard.so", "ghostcard"},
                                    {"./qatengine.so", "qatengine"},
                                    {"/some/where/renamed.so", "ghostcard"}}) {
      ENGINE* const engine = ENGINE_new();
      EXPECT_EQ(bind_engine(engine, asked, &functions), 1) << Errors();
      EXPECT_STREQ(ENGINE_get_id(engine), id);
      ENGINE_free(engine);
    }
    ENGINE* const engine = ENGINE_new();
    EXPECT_EQ(bind_engine(engine, "padlock", &functions), 0);
    ExpectErrorNames({"'padlock' given", "allowed: ghostcard, qatengine"});
    ENGINE_free(engine);
  });
}

TEST(EngineCommandsTest, SettingsAreRefusedAfterTheStart) {
  InProcess([] {
    EngineUser user;
    user.Start();
    for (const char* name : kBeforeStart) {
      EXPECT_FALSE(user.module().Set(name)) << name;
      ExpectErrorNames({name, "give this command before ENGINE_init"});
    }
    EXPECT_FALSE(user.module().Set("SET_CONFIGURATION_SECTION_NAME", "card"));
    ExpectErrorNames({"SET_CONFIGURATION_SECTION_NAME", "give this command before ENGINE_init"});
    for (const std::string_view option : OwnOptions()) {
      EXPECT_FALSE(user.module().Set(InCapitals(option).c_str(), "1"));
      ExpectErrorNames({InCapitals(option), "give this command before ENGINE_init"});
    }
  });
}

TEST(EngineCommandsTest, QueriesAreRefusedBeforeTheStart) {
  InProcess([] {
    const EngineModule module;
    int answer = 0;
    for (const char* name : {"POLL", "GET_NUM_OP_RETRIES", "GET_EXTERNAL_POLLING_FD",
                             "GET_NUM_CRYPTO_INSTANCES", "HEARTBEAT_POLL"}) {
      EXPECT_FALSE(module.Command(name, 0, &answer)) << name;
      ExpectErrorNames({name, "call ENGINE_init first"});
    }
  });
}

TEST(EngineCommandsTest, NumbersOutOfRangeAreNamedWithTheRange) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
    ASSERT_TRUE(user.module().Set("ENABLE_EVENT_DRIVEN_POLLING_MODE"));
    user.Start();
    struct Case {
      const char* name;
      long number;
      const char* allowed;
    };
    for (const Case& bad : {Case{"SET_INTERNAL_POLL_INTERVAL", 0, "1 to 10000000"},
                            {"SET_INTERNAL_POLL_INTERVAL", 10'000'001, "1 to 10000000"},
                            {"SET_EPOLL_TIMEOUT", 0, "1 to 10000"},
                            {"SET_EPOLL_TIMEOUT", 10'001, "1 to 10000"},
                            {"SET_MAX_RETRY_COUNT", -2, "-1 to 100000"},
                            {"SET_MAX_RETRY_COUNT", 100'001, "-1 to 100000"},
                            {"SET_INSTANCE_FOR_THREAD", -1, "0 to 1"},
                            {"SET_INSTANCE_FOR_THREAD", 2, "0 to 1"},
                            {"GET_NUM_REQUESTS_IN_FLIGHT", 0, "1 to 3"},
                            {"GET_NUM_REQUESTS_IN_FLIGHT", 4, "1 to 3"},
                            {"GET_EXTERNAL_POLLING_FD", -1, "0 to 1"},
                            {"GET_EXTERNAL_POLLING_FD", 2, "0 to 1"}}) {
      void* answer = nullptr;
      EXPECT_FALSE(user.module().Command(bad.name, bad.number, &answer)) << bad.name;
      ExpectErrorNames({bad.name, std::to_string(bad.number), bad.allowed});
    }
    for (const auto& [name, number] : {std::pair{"SET_INTERNAL_POLL_INTERVAL", 1L},
                                       {"SET_INTERNAL_POLL_INTERVAL", 10'000'000L},
                                       {"SET_EPOLL_TIMEOUT", 1L},
                                       {"SET_EPOLL_TIMEOUT", 10'000L},
                                       {"SET_MAX_RETRY_COUNT", -1L},
                                       {"SET_MAX_RETRY_COUNT", 100'000L},
                                       {"SET_INSTANCE_FOR_THREAD", 1L}}) {
      EXPECT_TRUE(user.module().Command(name, number)) << name << ": " << Errors();
    }
    EXPECT_EQ(user.SignOnce(), 1) << Errors();
  });
}

TEST(EngineCommandsTest, QueriesNeedAPointer) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
    ASSERT_TRUE(user.module().Set("ENABLE_EVENT_DRIVEN_POLLING_MODE"));
    user.Start();
    for (const char* name : {"GET_NUM_OP_RETRIES", "GET_EXTERNAL_POLLING_FD",
                             "GET_NUM_CRYPTO_INSTANCES", "HEARTBEAT_POLL"}) {
      EXPECT_FALSE(user.module().Command(name)) << name;
      ExpectErrorNames({name, "needs a pointer"});
    }
    EXPECT_FALSE(user.module().Command("GET_NUM_REQUESTS_IN_FLIGHT", 1));
    ExpectErrorNames({"GET_NUM_REQUESTS_IN_FLIGHT", "needs a pointer"});
    EXPECT_TRUE(user.module().Command("POLL")) << "POLL without a pointer must succeed";
  });
}

TEST(EngineCommandsTest, BadStringsAreNamedWithWhatIsAllowed) {
  InProcess([] {
    const EngineModule module;
    const std::string long_name(64, 'x'), long_list(1024, 'x');
    struct Case {
      const char* name;
      std::string text;
      const char* allowed;
    };
    constexpr const char* kThresholds = "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD";
    for (const Case& bad : {Case{"SET_CONFIGURATION_SECTION_NAME", "", "1 to 63 bytes"},
                            {"SET_CONFIGURATION_SECTION_NAME", long_name, "1 to 63 bytes"},
                            {kThresholds, "", "1 to 1023 bytes"},
                            {kThresholds, long_list, "1 to 1023 bytes"},
                            {kThresholds, "AES-192-CBC:64", "NAME one of"},
                            {kThresholds, "SHA256", "NAME:BYTES"},
                            {kThresholds, "SHA256:", "NAME:BYTES"},
                            {kThresholds, "SHA256:16385", "from 0 to 16384"},
                            {kThresholds, "SHA256:-1", "from 0 to 16384"},
                            {kThresholds, "SHA256:64,", "NAME:BYTES"},
                            {"HW_ALGO_BITMAP", "", "1 to 31 bytes"},
                            {"HW_ALGO_BITMAP", "0x", "hexadecimal"},
                            {"HW_ALGO_BITMAP", "rsa", "hexadecimal"},
                            {"HW_ALGO_BITMAP", "0x100000000", "hexadecimal"},
                            {"SW_ALGO_BITMAP", "0xFFG", "hexadecimal"}}) {
      EXPECT_FALSE(module.Set(bad.name, bad.text.c_str())) << bad.name << " " << bad.text;
      ExpectErrorNames({bad.name, bad.allowed});
    }
    for (const std::string_view option : OwnOptions()) {
      if (option == "config") continue;  // checked at the start
      EXPECT_FALSE(module.Set(InCapitals(option).c_str(), "?")) << option;
      ExpectErrorNames({std::string(option), "\"?\" is not allowed"});
    }
    EXPECT_EQ(ENGINE_ctrl(module.get(), ENGINE_CMD_BASE + 999, 0, nullptr, nullptr), 0);
    Errors();
    EXPECT_EQ(
        engine::openssl::engine::Control(module.get(), ENGINE_CMD_BASE + 999, 0, nullptr, nullptr),
        0);
    ExpectErrorNames({"no such control command: 1199"});
  });
}

TEST(EngineCommandsTest, StartNamesAWrongSetting) {
  for (const auto& [name, value, allowed] :
       {std::tuple{"CONFIG", "/nowhere/card.toml", "/nowhere/card.toml"},
        {"QUEUE_PAIRS", "1024", "the card of profile"}}) {
    InProcess([&name = name, &value = value, &allowed = allowed] {
      EngineModule module;
      ASSERT_TRUE(module.Set("PROFILE", "qat-4xxx"));
      ASSERT_TRUE(module.Set(name, value)) << Errors();
      EXPECT_FALSE(module.Start());
      ExpectErrorNames({value, allowed});
      // The setting can still be corrected.
      ASSERT_TRUE(module.Set("PROFILE", "ideal"));
      ASSERT_TRUE(module.Set("QUEUE_PAIRS", "2"));
    });
  }
  InProcess([] {
    ::setenv("GHOSTCARD_TRANSPORT", "pcie", 1);
    EngineModule module;
    EXPECT_FALSE(module.Start());
    ExpectErrorNames({"GHOSTCARD_TRANSPORT", "pcie", "uring"});
  });
  InProcess([] {
    ::setenv("GHOSTCARD_TRANPORT", "memory", 1);
    EngineModule module;
    EXPECT_FALSE(module.Start());
    ExpectErrorNames(
        {"GHOSTCARD_TRANPORT: no such variable", "did you mean 'GHOSTCARD_TRANSPORT'?"});
  });
  InProcess([] {
    ::setenv("GHOSTCARD_COLOUR", "blue", 1);  // another program's variable
    EngineUser user;
    user.Start();
  });
}

TEST(EngineCommandsTest, EnvironmentTakesPrecedence) {
  InProcess([] {
    ::setenv("GHOSTCARD_PROFILE", "dsa", 1);
    ::setenv("GHOSTCARD_THRESHOLD_DIGEST", "64", 1);
    EngineUser user;
    ASSERT_TRUE(user.module().Set("PROFILE", "qat-4xxx"));
    ASSERT_TRUE(user.module().Set("THRESHOLD_DIGEST", "4096"));
    user.Start();
    EXPECT_EQ(engine::openssl::engine::Module::Get().offload()->engine()->card().profile().name,
              "dsa");
    EXPECT_TRUE(user.GoesToCard([&] { return user.HashOnce(64); }));
  });
}

// --- polling ---

int Poll(const EngineModule& module) {
  int status = 77;
  EXPECT_TRUE(module.Command("POLL", 0, &status)) << Errors();
  return status;
}

class PolledEngineTest : public ::testing::TestWithParam<Way> {};

TEST_P(PolledEngineTest, OnlyAPollNotifiesTheJob) {
  for (const char* command : {"ENABLE_EXTERNAL_POLLING", "ENABLE_INLINE_POLLING"}) {
    InProcess([command] {
      EngineUser user;
      ASSERT_TRUE(user.module().Set(command));
      user.Start();
      EXPECT_EQ(Poll(user.module()), 2) << "nothing to find";
      AsyncJob job(GetParam(), user.Signing());
      ASSERT_TRUE(job.paused());
      EXPECT_EQ(user.module().InFlight(1), 1);
      EXPECT_TRUE(GetParam() == Way::kCallback || !IsReadable(job.fd()));
      while (Poll(user.module()) == 2) std::this_thread::yield();
      EXPECT_EQ(job.Finish(), 1) << Errors();
      EXPECT_EQ(user.module().InFlight(1), 0);
      EXPECT_EQ(user.SignOnce(), 1) << "a synchronous call polls by itself: " << Errors();
    });
  }
}

TEST_P(PolledEngineTest, FdsOfEventDrivenPollingAnnounceCompletions) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
    ASSERT_TRUE(user.module().Set("ENABLE_EVENT_DRIVEN_POLLING_MODE"));
    user.Start();
    int count = 0;
    ASSERT_TRUE(user.module().Command("GET_NUM_CRYPTO_INSTANCES", 0, &count));
    ASSERT_EQ(count, 2);
    std::vector<pollfd> lines;
    for (int i = 0; i < count; ++i) {
      int fd = -1;
      ASSERT_TRUE(user.module().Command("GET_EXTERNAL_POLLING_FD", i, &fd)) << Errors();
      lines.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
    for (int round = 0; round < 50; ++round) {
      AsyncJob job(GetParam(), user.Signing());
      int handled = 2;
      while (handled == 2) {  // an interrupt may announce what an earlier poll has handled
        ASSERT_GT(::poll(lines.data(), lines.size(), -1), 0);
        handled = Poll(user.module());
      }
      EXPECT_EQ(handled, 0);
      EXPECT_EQ(job.Finish(), 1) << Errors();
    }
  });
}

TEST_P(PolledEngineTest, HeuristicPollingCountsCallsInFlight) {
  InProcess([] {
    EngineUser user;
    EXPECT_FALSE(user.module().Set("ENABLE_HEURISTIC_POLLING"));
    ExpectErrorNames({"needs ENABLE_EXTERNAL_POLLING first"});
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
    ASSERT_TRUE(user.module().Set("ENABLE_HEURISTIC_POLLING"));
    user.Start();
    {
      std::vector<std::unique_ptr<AsyncJob>> jobs;
      for (int i = 0; i < 3; ++i) {
        jobs.push_back(std::make_unique<AsyncJob>(GetParam(), user.Signing()));
      }
      AsyncJob hash(GetParam(), [&] { return user.HashOnce(20'000); });
      EXPECT_EQ(user.module().InFlight(1), 3);
      EXPECT_EQ(user.module().InFlight(2), 0);
      EXPECT_EQ(user.module().InFlight(3), 1);
      int handled = 0;
      while (EngineModule::stats().in_flight > 0) handled += Poll(user.module()) == 0 ? 1 : 0;
      EXPECT_GT(handled, 0);
      for (auto& job : jobs) EXPECT_EQ(job->Finish(), 1) << Errors();
      EXPECT_EQ(hash.Finish(), 1) << Errors();
    }
    for (long request_class = 1; request_class <= 3; ++request_class) {
      EXPECT_EQ(user.module().InFlight(request_class), 0);
    }
  });
}

TEST_P(PolledEngineTest, EngineNotifiesJobsInEventDrivenAndInTimedMode) {
  for (const char* command :
       {"ENABLE_EVENT_DRIVEN_POLLING_MODE", "DISABLE_EVENT_DRIVEN_POLLING_MODE"}) {
    InProcess([command] {
      EngineUser user;
      ASSERT_TRUE(user.module().Set(command));
      ASSERT_TRUE(user.module().Command("SET_INTERNAL_POLL_INTERVAL", 20'000));
      ASSERT_TRUE(user.module().Command("SET_EPOLL_TIMEOUT", 50));
      user.Start();
      EXPECT_EQ(RunBy(GetParam(), user.Signing()), 1) << Errors();
      int fd = -1;
      EXPECT_FALSE(user.module().Command("GET_EXTERNAL_POLLING_FD", 0, &fd));
      ExpectErrorNames({"needs ENABLE_EXTERNAL_POLLING and ENABLE_EVENT_DRIVEN_POLLING_MODE"});
    });
  }
}

TEST_P(PolledEngineTest, RetriesAreCountedOnEveryPath) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));  // so that the ring stays full
    ASSERT_TRUE(user.module().Set("QUEUE_PAIRS", "1"));
    ASSERT_TRUE(user.module().Set("DEPTH", "1"));
    user.Start();
    const auto retries = [&] {
      unsigned int count = 0;
      EXPECT_TRUE(user.module().Command("GET_NUM_OP_RETRIES", 0, &count)) << Errors();
      return count;
    };
    AsyncJob holder(GetParam(), user.Signing());
    EXPECT_EQ(retries(), 0u);
    AsyncJob refused(GetParam(), [&] { return user.HashOnce(20'000); });
    EXPECT_EQ(retries(), 1u) << "a job";
    ASSERT_TRUE(user.module().Command("SET_MAX_RETRY_COUNT", 0));
    EXPECT_EQ(user.SignOnce(), 0) << "one try, and no more";
    ExpectErrorNames({"the card refused the request"});
    EXPECT_EQ(retries(), 2u) << "a synchronous call";
    ASSERT_TRUE(user.module().Command("SET_MAX_RETRY_COUNT", -1));
    while (holder.paused() || refused.paused()) {
      Poll(user.module());
      if (holder.paused()) holder.Step();
      if (refused.paused()) refused.Step();
    }
    EXPECT_EQ(holder.result(), 1);
    EXPECT_EQ(refused.result(), 1);
    EXPECT_EQ(user.SignOnce(), 1) << Errors();
  });
}

INSTANTIATE_TEST_SUITE_P(BothWays, PolledEngineTest, ::testing::Values(Way::kFd, Way::kCallback),
                         WayName);

// --- which calls go to the card, and to which queue pair ---

TEST(EngineCommandsTest, ThreadKeepsToItsQueuePair) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Command("SET_INSTANCE_FOR_THREAD", 1)) << Errors();
    user.GiveKeyToEngine();  // the command has started the engine
    for (int i = 0; i < 3; ++i) EXPECT_EQ(user.SignOnce(), 1) << Errors();
    std::thread([&] {
      ASSERT_TRUE(user.module().Command("SET_INSTANCE_FOR_THREAD", 0)) << Errors();
      EXPECT_EQ(user.SignOnce(), 1) << Errors();
    }).join();
    const auto queue_pairs =
        engine::openssl::engine::Module::Get().offload()->engine()->card().queue_pairs();
    EXPECT_EQ(queue_pairs[0]->counts().accepted, 1u);
    EXPECT_EQ(queue_pairs[1]->counts().accepted, 3u);
  });
}

TEST(EngineCommandsTest, InitEngineMakesTheCardAtOnce) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("INIT_ENGINE")) << Errors();
    ASSERT_TRUE(user.module().Set("INIT_ENGINE")) << "again: " << Errors();
    EXPECT_EQ(Poll(user.module()), 2);
  });
}

TEST(EngineCommandsTest, ThresholdsAreSetByNameAtAnyTime) {
  InProcess([] {
    EngineUser user;
    user.Start();
    constexpr const char* kName = "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD";
    EXPECT_FALSE(user.GoesToCard([&] { return user.HashOnce(2000); }));
    ASSERT_TRUE(user.module().Set(kName, "SHA256:2000,AES-128-CBC-HMAC-SHA1:16")) << Errors();
    EXPECT_TRUE(user.GoesToCard([&] { return user.HashOnce(2000); }));
    EXPECT_FALSE(user.GoesToCard([&] { return user.HashOnce(1999); }));
    EXPECT_TRUE(user.GoesToCard([&] {
      const CipherContext context(EVP_CIPHER_CTX_new());
      const Bytes key = Pattern(16);
      unsigned char out[32];
      int size = 0;
      return EVP_EncryptInit_ex(context.get(), EVP_aes_128_cbc(), user.module().get(), key.data(),
                                key.data()) == 1 &&
             EVP_EncryptUpdate(context.get(), out, &size, key.data(), 16) == 1;
    }));
  });
}

TEST(EngineCommandsTest, AlgorithmsAreSwitchedByBitmap) {
  InProcess([] {
    EngineUser user;
    user.Start();
    const auto sign = [&] { return user.SignOnce(); };
    const auto hash = [&] { return user.HashOnce(20'000); };
    EXPECT_TRUE(user.GoesToCard(sign));
    EXPECT_TRUE(user.GoesToCard(hash));
    ASSERT_TRUE(user.module().Set("HW_ALGO_BITMAP", "0x0001"));
    EXPECT_TRUE(user.GoesToCard(sign));
    EXPECT_FALSE(user.GoesToCard(hash));
    ASSERT_TRUE(user.module().Set("HW_ALGO_BITMAP", "4000"));
    EXPECT_FALSE(user.GoesToCard(sign));
    EXPECT_TRUE(user.GoesToCard(hash));
    ASSERT_TRUE(user.module().Set("HW_ALGO_BITMAP", "0xFFFF"));
    ASSERT_TRUE(user.module().Set("SW_ALGO_BITMAP", "0xFFFF"));
    EXPECT_TRUE(user.GoesToCard(sign));
    ASSERT_TRUE(user.module().Set("DISABLE_QAT_OFFLOAD"));
    EXPECT_FALSE(user.GoesToCard(sign));
    EXPECT_FALSE(user.GoesToCard(hash));
  });
}

constexpr const char* kTwoCards = R"(
[shim]
profile = "qat-4xxx"
name = "first"

[backup]
name = "second"
queue_pairs_max = 1
)";

TEST(EngineCommandsTest, SectionNameChoosesTheCard) {
  InProcess([] {
    EngineModule module;
    ASSERT_TRUE(module.Set("CONFIG", ConfigFile(kTwoCards).c_str()));
    ASSERT_TRUE(module.Set("SET_CONFIGURATION_SECTION_NAME", "backup"));
    ASSERT_TRUE(module.Set("QUEUE_PAIRS", "1"));
    ASSERT_TRUE(module.Start()) << Errors();
    EXPECT_EQ(engine::openssl::engine::Module::Get().offload()->engine()->card().profile().name,
              "second");
  });
  InProcess([] {
    EngineModule module;
    ASSERT_TRUE(module.Set("CONFIG", ConfigFile(kTwoCards).c_str()));
    ASSERT_TRUE(module.Set("SET_CONFIGURATION_SECTION_NAME", "third"));
    EXPECT_FALSE(module.Start());
    ExpectErrorNames({"third", "shim", "backup"});
  });
}

int Heartbeat(const EngineModule& module) {
  int status = 77;
  EXPECT_TRUE(module.Command("HEARTBEAT_POLL", 0, &status)) << Errors();
  return status;
}

TEST(EngineCommandsTest, HeartbeatReportsWhetherTheCardAnswers) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
    user.Start();
    EXPECT_EQ(Heartbeat(user.module()), 0);
  });
  for (const char* fault : {"kind = \"card_lost\"\nat = \"0ns\"\n",     // refuses requests
                            "kind = \"card_hang\"\nat = \"0ns\"\n"}) {  // never completes them
    InProcess([fault] {
      EngineUser user;
      ASSERT_TRUE(user.module().Set("ENABLE_EXTERNAL_POLLING"));
      ASSERT_TRUE(user.module().Set("ENABLE_SW_FALLBACK"));
      ASSERT_TRUE(
          user.module().Set("CONFIG", ConfigFile(std::string("[[fault]]\n") + fault).c_str()));
      user.Start();
      EXPECT_EQ(Heartbeat(user.module()), -1);
    });
  }
}

}  // namespace
}  // namespace tests
