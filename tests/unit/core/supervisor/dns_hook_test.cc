#include "core/supervisor/dns_hook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace gatehouse {
namespace {

using testing::HasSubstr;

const std::string kValue(43, 'A');

class DnsHookTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.add_domains()->set_name("corp.example");
    config_.mutable_acme()->set_dns_hook((folder_ / "hook").string());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Script(const std::string& text) const {
    std::ofstream(folder_ / "hook") << "#!/bin/sh\n" << text;
    ::chmod((folder_ / "hook").c_str(), 0700);
  }
  [[nodiscard]] std::string Seen() const {
    std::ifstream file(folder_ / "seen");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static proto::DnsHookCall CallOf(bool add, std::string name, std::string value = kValue) {
    proto::DnsHookCall call;
    call.set_add(add);
    call.set_name(std::move(name));
    call.set_value(std::move(value));
    return call;
  }
  // What came of it.
  Result<void> Run(const proto::DnsHookCall& call, std::string_view plugin = "acme_client") {
    std::optional<Result<void>> result;
    bool runs = false;
    hook_.Call(plugin, config_, call, [&](Result<void> ended) {
      result = std::move(ended);
      if (runs) loop_->Stop();
    });
    runs = true;
    if (!result) loop_->Run();
    return *result;
  }

  // Of the next life, after this one was killed.
  [[nodiscard]] std::string LeftBehind() const {
    std::string names;
    const ChallengeNotes notes((folder_ / "acme-records").string());
    for (const auto& [name, value] : notes.records()) names += name + ' ' + value.front() + '\n';
    return names;
  }

  static std::filesystem::path MakeFolder() {
    auto folder = std::filesystem::path(testing::TempDir()) / "gatehouse_dns_hook";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
  }
  std::filesystem::path folder_ = MakeFolder();
  proto::Config config_;
  std::unique_ptr<Loop> loop_ = *Loop::Create();
  DnsHook hook_{*loop_, (folder_ / "acme-records").string()};
};

TEST_F(DnsHookTest, RunsTheProgramWithItsWordsAndLittleElse) {
  Script("echo \"$# $1 $2 $3\" >>" + (folder_ / "seen").string() +
         "; env | grep -v ^_= | grep -v ^PWD= >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  EXPECT_TRUE(Run(CallOf(false, "_acme-challenge.corp.example")));
  const std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
  EXPECT_EQ(Seen(), "3 add _acme-challenge.corp.example " + kValue + "\n" + path +
                        "3 remove _acme-challenge.corp.example " + kValue + "\n" + path);
}

TEST_F(DnsHookTest, TellsTheStatusAndTheLastLine) {
  Script("echo first >&2; echo 'the zone is locked' >&2; exit 3\n");
  EXPECT_THAT(
      Run(CallOf(true, "_acme-challenge.corp.example")).error().text,
      HasSubstr("hook add _acme-challenge.corp.example' ended with status 3: the zone is locked"));
  Script("kill -9 $$\n");
  EXPECT_THAT(Run(CallOf(true, "_acme-challenge.corp.example")).error().text,
              HasSubstr("was ended by signal 9"));
  std::filesystem::remove(folder_ / "hook");
  EXPECT_THAT(Run(CallOf(true, "_acme-challenge.corp.example")).error().text, HasSubstr("hook"));
}

TEST_F(DnsHookTest, NobodyElseMayAndNothingElseIsAskedOfIt) {
  Script("exit 0\n");
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.corp.example"), "tls_listener"));
  EXPECT_FALSE(Run(CallOf(true, "corp.example")));
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.other.example")));
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.corp.example", "short")));
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.corp.example", std::string(42, 'A') + ";")));
  config_.mutable_acme()->clear_dns_hook();
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.corp.example")));
}

TEST_F(DnsHookTest, WhatIsPublishedIsNotedBeforeAndUntilItIsTakenDown) {
  Script("cat " + (folder_ / "acme-records").string() + " >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  EXPECT_EQ(Seen(), "_acme-challenge.corp.example " + kValue + "\n");
  EXPECT_EQ(LeftBehind(), "_acme-challenge.corp.example A\n");
  Script("exit 1\n");
  EXPECT_FALSE(Run(CallOf(false, "_acme-challenge.corp.example")));
  EXPECT_EQ(LeftBehind(), "_acme-challenge.corp.example A\n");  // it is still there
  Script("exit 0\n");
  EXPECT_TRUE(Run(CallOf(false, "_acme-challenge.corp.example")));
  EXPECT_EQ(LeftBehind(), "");
}

TEST_F(DnsHookTest, WhatCannotBeNotedIsNotPublished) {
  Script("touch " + (folder_ / "seen").string() + "\n");
  std::filesystem::create_directory(folder_ / "acme-records.new");
  const auto result = Run(CallOf(true, "_acme-challenge.corp.example"));
  EXPECT_THAT(result.error().text, HasSubstr("acme-records.new: cannot be written: "));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "seen"));
}

TEST_F(DnsHookTest, TheNextLifeRemovesWhatThisOneCouldNot) {
  Script("echo $1 $3 >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  DnsHook next(*loop_, (folder_ / "acme-records").string());
  next.RemoveLeft(config_);
  next.WhenIdle(seconds{10}, [this] { loop_->Stop(); });
  loop_->Run();
  EXPECT_EQ(Seen(), "add " + kValue + "\nremove " + kValue + "\n");
  EXPECT_EQ(LeftBehind(), "");
}

TEST_F(DnsHookTest, OfADamagedNoteOnlyWhatIsARecordOfAChallengeIsHeeded) {
  std::ofstream(folder_ / "acme-records")
      << "_acme-challenge.corp.example " << kValue << "\n"
      << "corp.example " << kValue << "\n_acme-challenge.corp.example;reboot " << kValue
      << "\n_acme-challenge.corp.example short\nnonsense\n";
  EXPECT_EQ(LeftBehind(), "_acme-challenge.corp.example A\n");
}

TEST_F(DnsHookTest, WhatADeadWorkerHasAddedIsRemoved) {
  Script("echo $1 >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  hook_.OnAskerDied();
  // One at a time: this one is called last.
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example", std::string(43, 'B'))));
  EXPECT_EQ(Seen(), "add\nremove\nadd\n");
}

TEST_F(DnsHookTest, WhatWaitsForItsRemovalIsRemovedOnceHoweverOftenTheWorkerDies) {
  Script("echo $1 >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  for (int life = 0; life < 3; ++life) hook_.OnAskerDied();
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example", std::string(43, 'B'))));
  EXPECT_EQ(Seen(), "add\nremove\nadd\n");
}

TEST_F(DnsHookTest, WhatWasAddedIsRemovedByItsProgramWhateverIsConfiguredNow) {
  Script("echo $1 >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  config_.mutable_domains(0)->set_name("other.example");
  config_.clear_acme();
  EXPECT_FALSE(Run(CallOf(false, "_acme-challenge.corp.example"), "tls_listener"));
  EXPECT_FALSE(Run(CallOf(true, "_acme-challenge.corp.example")));
  EXPECT_TRUE(Run(CallOf(false, "_acme-challenge.corp.example")));
  EXPECT_FALSE(Run(CallOf(false, "_acme-challenge.corp.example")));  // it is gone
  EXPECT_EQ(Seen(), "add\nremove\n");
}

TEST_F(DnsHookTest, ADeadWorkersRecordsGoWithoutASectionToo) {
  Script("echo $1 >>" + (folder_ / "seen").string() + "\n");
  EXPECT_TRUE(Run(CallOf(true, "_acme-challenge.corp.example")));
  config_.clear_acme();
  hook_.OnAskerDied();
  hook_.WhenIdle(seconds{30}, [this] { loop_->Stop(); });
  loop_->Run();
  EXPECT_EQ(Seen(), "add\nremove\n");
}

TEST_F(DnsHookTest, ItsEndIsWaitedForNoLongerThanIsGiven) {
  bool idle = false;
  hook_.WhenIdle(seconds{30}, [&idle] { idle = true; });
  EXPECT_TRUE(idle);
  Script("exec tail -f /dev/null\n");  // without an end
  hook_.Call("acme_client", config_, CallOf(true, "_acme-challenge.corp.example"),
             [](const Result<void>&) { FAIL() << "the program is not waited for"; });
  hook_.WhenIdle(milliseconds{1}, [this] { loop_->Stop(); });
  loop_->Run();
}

}  // namespace
}  // namespace gatehouse
