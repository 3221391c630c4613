#include "core/policy/certificate_client.h"

#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tls/certificate_authority.h"
#include "proto/link_policy.pb.h"
#include "tests/unit/core/policy/fake_worker_context.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An engine's end of the link that answers when the test says so.
class CertificateEngine final : public ipc::AskClient {
 public:
  void AskBytes(std::string question, milliseconds limit, OnAnswer on_answer) override {
    proto::PolicyQuestion parsed;
    EXPECT_TRUE(parsed.ParseFromString(question));
    EXPECT_TRUE(parsed.has_certificate());
    EXPECT_EQ(limit, seconds(30));
    held_hashes.push_back(parsed.certificate().held_hash());
    open_ = std::move(on_answer);
  }
  void Answer(const proto::CertificateGiven& given) {
    proto::PolicyAnswer answer;
    *answer.mutable_certificate() = given;
    std::exchange(open_, nullptr)(answer.SerializeAsString());
  }
  void Fail() { std::exchange(open_, nullptr)(Trouble("no answer in time")); }

  std::vector<std::string> held_hashes;

 private:
  OnAnswer open_;
};

using CertificateContext = FakeWorkerContext<CertificateEngine>;

class CertificateClientTest : public testing::Test {
 protected:
  proto::CertificateGiven Given(const std::string& name) {
    const std::array names = {name + ".example"};
    const IssuedCertificate issued = *authority_->Issue(names, 9);
    proto::CertificateGiven given;
    given.set_name(name);
    given.set_chain(issued.chain);
    given.set_key(issued.key);
    given.set_hash("hash of " + name);
    return given;
  }
  static proto::CertificateGiven None() {
    proto::CertificateGiven given;
    given.set_hash("hash of none");
    return given;
  }

  std::unique_ptr<CertificateAuthority> authority_ = *CertificateAuthority::Create("root", 9);
  CertificateContext context_;
  std::vector<std::string> heard_;  // the names, with a mark where there is a certificate
  std::unique_ptr<CertificateClient> client_ =
      std::make_unique<CertificateClient>(context_, [this](const CertificateClient::Given& given) {
        heard_.push_back(given.name + (given.certificate ? "!" : ""));
      });
};

TEST_F(CertificateClientTest, HandsOnEachCertificateAndAsksForAnother) {
  EXPECT_FALSE(client_->has_answer());
  context_.engine.Answer(Given("one"));
  context_.engine.Answer(Given("two"));
  context_.engine.Answer(None());
  EXPECT_THAT(heard_, ElementsAre("one!", "two!", ""));
  EXPECT_THAT(context_.engine.held_hashes,
              ElementsAre("", "hash of one", "hash of two", "hash of none"));
  EXPECT_TRUE(client_->has_answer());
}

TEST_F(CertificateClientTest, KnowsThatThereIsNone) {
  context_.engine.Answer(None());
  EXPECT_TRUE(client_->has_answer());
  EXPECT_THAT(heard_, ElementsAre(""));
}

TEST_F(CertificateClientTest, KeepsTheLastOneWhileTheEngineIsSilent) {
  context_.engine.Answer(Given("one"));
  context_.engine.Fail();
  EXPECT_EQ(client_->current().name, "one");
  while (context_.engine.held_hashes.size() < 3) context_.loop().RunOnce();
  EXPECT_EQ(context_.engine.held_hashes.back(), "hash of one");
  context_.engine.Answer(Given("two"));
  EXPECT_THAT(heard_, ElementsAre("one!", "two!"));
}

// A reborn engine answers a question of the life before it.
TEST_F(CertificateClientTest, HandsTheSameOneOnOnce) {
  const proto::CertificateGiven one = Given("one");
  context_.engine.Answer(one);
  context_.engine.Answer(one);
  EXPECT_THAT(heard_, ElementsAre("one!"));
}

TEST_F(CertificateClientTest, KeepsTheLastOneInPlaceOfWhatCannotBeRead) {
  context_.engine.Answer(Given("one"));
  proto::CertificateGiven mixed = Given("two");
  mixed.set_key(Given("three").key());
  context_.engine.Answer(mixed);
  EXPECT_EQ(client_->current().name, "one");
  EXPECT_THAT(heard_, ElementsAre("one!"));
}

TEST_F(CertificateClientTest, TakesAFirstOneThatCannotBeReadForNone) {
  proto::CertificateGiven bad = Given("one");
  bad.clear_key();
  context_.engine.Answer(bad);
  EXPECT_TRUE(client_->has_answer());
  EXPECT_THAT(heard_, ElementsAre(""));
}

TEST_F(CertificateClientTest, IgnoresAnAnswerThatComesAfterItsEnd) {
  client_.reset();
  context_.engine.Answer(None());
  EXPECT_THAT(heard_, IsEmpty());
}

}  // namespace
}  // namespace gatehouse
