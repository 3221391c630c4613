#include "plugins/acme_client/acme_order.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/certificate/private_key.h"

namespace gatehouse::acme {
namespace {

using testing::HasSubstr;

constexpr const char* kDirectory =
    R"({"newNonce":"https://ca/nonce","newAccount":"https://ca/account","newOrder":"https://ca/order",
        "revokeCert":"https://ca/revoke","meta":{"website":"x"}})";
constexpr std::string_view kProblem = "urn:ietf:params:acme:error:";

class AcmeOrderTest : public testing::Test {
 protected:
  AcmeOrder::Setup Plain() {
    return {.directory = "https://ca/dir",
            .contact = "mailto:a@b.example",
            .names = {"corp.example"},
            .challenge = "http-01",
            .request_der = "DER",
            .external = std::nullopt};
  }
  void Begin(AcmeOrder::Setup setup) {
    order_.emplace(key_, std::move(setup));
    step_ = order_->Begin();
  }
  void Begin() { Begin(Plain()); }

  // A response with a fresh nonce.
  void Answer(unsigned status, std::string body,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    HttpMessage response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    response.headers.emplace_back("replay-nonce", fmt::format("n{}", ++nonces_));
    step_ = order_->OnResponse(response, 1000);
  }
  void Problem(unsigned status, std::string_view kind, std::string_view detail) {
    Answer(status, fmt::format(R"({{"type":"{}{}","detail":"{}","status":{}}})", kProblem, kind,
                               detail, status));
  }
  [[nodiscard]] std::string Url() const {
    const auto* send = std::get_if<SendStep>(&step_);
    return send == nullptr ? "" : send->method + " " + send->url;
  }
  [[nodiscard]] std::string Why() const {
    const auto* refused = std::get_if<RefusedStep>(&step_);
    return refused == nullptr ? "" : refused->why;
  }
  static std::string Authorization(std::string_view status, std::string_view more = "") {
    return fmt::format(
        R"({{"identifier":{{"type":"dns","value":"corp.example"}},"status":"{}","challenges":[
            {{"type":"dns-01","url":"https://ca/c2","token":"tok2","status":"pending"}},
            {{"type":"http-01","url":"https://ca/c1","token":"tok1","status":"pending"{}}}]}})",
        status, more);
  }
  static std::string Order(std::string_view status) {
    return fmt::format(
        R"({{"status":"{}","authorizations":["https://ca/a1"],"finalize":"https://ca/f1",
            "certificate":"https://ca/cert1"}})",
        status);
  }
  // Up to the first authorization that was asked for.
  void ToAuthorization() {
    Answer(200, kDirectory);
    Answer(201, R"({"status":"valid"})", {{"location", "https://ca/acct/1"}});
    Answer(201, Order("pending"), {{"location", "https://ca/o1"}});
  }

  Es256Key key_ = *Es256Key::Parse(*MakePrivateKey(KeyType::kP256));
  std::optional<AcmeOrder> order_;
  Step step_;
  int nonces_ = 0;
};

TEST_F(AcmeOrderTest, GoesFromTheDirectoryToTheChain) {
  Begin();
  EXPECT_EQ(Url(), "GET https://ca/dir");
  Answer(200, kDirectory);
  EXPECT_EQ(Url(), "POST https://ca/account");
  Answer(201, R"({"status":"valid"})", {{"location", "https://ca/acct/1"}});
  EXPECT_EQ(order_->account_url(), "https://ca/acct/1");
  EXPECT_EQ(Url(), "POST https://ca/order");
  Answer(201, Order("pending"), {{"location", "https://ca/o1"}});
  EXPECT_EQ(Url(), "POST https://ca/a1");
  Answer(200, Authorization("pending"));
  const auto* provide = std::get_if<ProvideStep>(&step_);
  ASSERT_NE(provide, nullptr);
  EXPECT_EQ(provide->domain, "corp.example");
  EXPECT_EQ(provide->token, "tok1");
  EXPECT_EQ(provide->content, KeyAuthorization(key_, "tok1"));
  step_ = order_->OnProvided();
  EXPECT_EQ(Url(), "POST https://ca/c1");
  Answer(200, R"({"type":"http-01","status":"processing"})", {{"retry-after", "7"}});
  ASSERT_TRUE(std::holds_alternative<WaitStep>(step_));
  EXPECT_EQ(std::get<WaitStep>(step_).delay.count(), 7);
  step_ = order_->OnWaited();
  EXPECT_EQ(Url(), "POST https://ca/a1");
  Answer(200, Authorization("pending"));  // still: it is not provided twice
  ASSERT_TRUE(std::holds_alternative<WaitStep>(step_));
  step_ = order_->OnWaited();
  Answer(200, Authorization("valid"));
  EXPECT_EQ(Url(), "POST https://ca/o1");
  Answer(200, Order("ready"));
  EXPECT_EQ(Url(), "POST https://ca/f1");
  Answer(200, Order("processing"));
  ASSERT_TRUE(std::holds_alternative<WaitStep>(step_));
  step_ = order_->OnWaited();
  EXPECT_EQ(Url(), "POST https://ca/o1");
  Answer(200, Order("valid"));
  EXPECT_EQ(Url(), "POST https://ca/cert1");
  Answer(200, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n");
  EXPECT_TRUE(std::holds_alternative<IssuedStep>(step_));
}

TEST_F(AcmeOrderTest, DnsGetsTheDigestOfTheSame) {
  AcmeOrder::Setup setup = Plain();
  setup.challenge = "dns-01";
  setup.names = {"*.corp.example"};
  Begin(setup);
  ToAuthorization();
  Answer(200, Authorization("pending"));
  ASSERT_TRUE(std::holds_alternative<ProvideStep>(step_)) << Why();
  EXPECT_EQ(std::get<ProvideStep>(step_).content, DnsValue(KeyAuthorization(key_, "tok2")));
}

TEST_F(AcmeOrderTest, WhereNoNonceIsGivenTheCaMaySayWhen) {
  Begin();
  HttpMessage directory;
  directory.status = 200;
  directory.body = kDirectory;
  step_ = order_->OnResponse(directory, 1000);
  EXPECT_EQ(Url(), "HEAD https://ca/nonce");
  HttpMessage busy;
  busy.status = 503;
  busy.headers.emplace_back("retry-after", "7200");
  step_ = order_->OnResponse(busy, 1000);
  ASSERT_THAT(Why(), HasSubstr("gives no nonce"));
  EXPECT_EQ(std::get<RefusedStep>(step_).retry_after.count(), 7200);
}

TEST_F(AcmeOrderTest, ABadNonceIsTakenAgainFiveTimes) {
  Begin();
  Answer(200, kDirectory);
  for (int i = 0; i < 5; ++i) {
    Problem(400, "badNonce", "old");
    EXPECT_EQ(Url(), "POST https://ca/account") << i;
  }
  Problem(400, "badNonce", "old");
  EXPECT_THAT(Why(), HasSubstr("badNonce"));
}

TEST_F(AcmeOrderTest, WithoutANonceOneIsAskedFor) {
  Begin();
  HttpMessage response;
  response.status = 200;
  response.body = kDirectory;
  step_ = order_->OnResponse(response, 0);
  EXPECT_EQ(Url(), "HEAD https://ca/nonce");
  Answer(200, "");
  EXPECT_EQ(Url(), "POST https://ca/account");
}

TEST_F(AcmeOrderTest, ARefusalIsToldWithTheTimeTheCaWants) {
  Begin();
  ToAuthorization();
  HttpMessage response;
  response.status = 429;
  response.headers = {{"retry-after", "86400"}};
  response.body = R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too\nmany",
      "subproblems":[{"type":"x","detail":"this one","identifier":{"type":"dns","value":"corp.example"}}]})";
  step_ = order_->OnResponse(response, 0);
  EXPECT_EQ(Why(),
            "the CA refuses an authorization: too many (rateLimited); corp.example: this one");
  EXPECT_EQ(std::get<RefusedStep>(step_).retry_after.count(), 86400);
}

TEST_F(AcmeOrderTest, AFailedValidationIsTold) {
  Begin();
  ToAuthorization();
  Answer(200,
         Authorization(
             "invalid",
             R"(,"error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"})"));
  EXPECT_EQ(Why(), "the CA could not validate 'corp.example' by http-01: refused (connection)");
}

TEST_F(AcmeOrderTest, WhatTheCaDoesNotOfferIsTold) {
  AcmeOrder::Setup setup = Plain();
  setup.challenge = "tls-alpn-01";
  Begin(setup);
  ToAuthorization();
  Answer(200, Authorization("pending"));
  EXPECT_THAT(Why(), HasSubstr("only by: dns-01, http-01"));
}

TEST_F(AcmeOrderTest, AnotherNameThanWasOrderedIsNotProvided) {
  AcmeOrder::Setup setup = Plain();
  setup.names = {"other.example"};
  Begin(setup);
  ToAuthorization();
  Answer(200, Authorization("pending"));
  EXPECT_THAT(Why(), HasSubstr("not ordered"));
}

TEST_F(AcmeOrderTest, ATokenThatWouldBePartOfAnotherPathIsRefused) {
  Begin();
  ToAuthorization();
  std::string authorization = Authorization("pending");
  authorization.replace(authorization.find("tok1"), 4, "../../x");
  Answer(200, authorization);
  EXPECT_THAT(Why(), HasSubstr("cannot be read"));
}

TEST_F(AcmeOrderTest, ACaThatWantsAKnownAccountIsToldOf) {
  Begin();
  Answer(
      200,
      R"({"newNonce":"a","newAccount":"b","newOrder":"c","meta":{"externalAccountRequired":true}})");
  EXPECT_THAT(Why(), HasSubstr("acme.external_account"));
}

TEST_F(AcmeOrderTest, WhatIsNoDirectoryIsTold) {
  Begin();
  Answer(200, "<html>");
  EXPECT_THAT(Why(), HasSubstr("cannot be read"));
  Begin();
  Answer(200, "{}");
  EXPECT_THAT(Why(), HasSubstr("acme.directory"));
  Begin();
  Answer(404, "no");
  EXPECT_EQ(Why(), "the CA refuses its directory: HTTP status 404");
}

TEST_F(AcmeOrderTest, AnOrderWithoutEndEnds) {
  Begin();
  ToAuthorization();
  Answer(200, Authorization("valid"));
  for (unsigned i = 0; i < AcmeOrder::kMaxPolls; ++i) {
    Answer(200, Order("pending"));
    ASSERT_TRUE(std::holds_alternative<WaitStep>(step_)) << i;
    step_ = order_->OnWaited();
  }
  Answer(200, Order("pending"));
  EXPECT_THAT(Why(), HasSubstr("end"));
}

}  // namespace
}  // namespace gatehouse::acme
