#include "plugins/sip_translator/request_checks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "core/tls/tls_session.h"
#include "plugins/sip_translator/sip_trust.h"
#include "proto/config.pb.h"

namespace gatehouse {
namespace {

SipTrust Trust() {
  proto::Config config;
  config.add_domains()->set_name("corp.example");
  config.mutable_sip()->add_trusted_peers("pool.corp.example");
  config.mutable_sip()->add_trusted_peers("192.0.2.0/24");
  config.mutable_sip()->add_trusted_peers("2001:db8::/32");
  return *SipTrust::Create(config);
}

struct Wish {
  std::string method = "MESSAGE";
  std::string via = "SIP/2.0/TCP host;branch=z9hG4bKx";
  std::string from = "<sip:ann@corp.example>;tag=1";
  std::string extra = {};
  bool trusted = true;
};
int StatusOf(const Wish& wish) {
  const std::string bytes = wish.method + " sip:bob@partner.example SIP/2.0\r\nVia: " + wish.via +
                            "\r\nFrom: " + wish.from +
                            "\r\nTo: <sip:bob@partner.example>\r\nCall-ID: c\r\nCSeq: 1 " +
                            wish.method + "\r\n" + wish.extra + "Content-Length: 0\r\n\r\n";
  const auto message = SipMessage::Parse(bytes, true);
  if (!message) return -message.error().status;
  const std::vector<std::string> own = {"edge.corp.example:5061"};
  const auto answer = AnswerWithoutTranslation(*message, wish.trusted, own);
  return answer ? answer->status : 0;
}

TEST(RequestChecks, LetAMessageOfAServedDomainPass) {
  EXPECT_EQ(StatusOf({}), 0);
  EXPECT_EQ(StatusOf({.from = "sip:ann@CORP.example;tag=1"}), 0);
}

TEST(RequestChecks, RefuseMissingMagicCookie) {
  EXPECT_EQ(StatusOf({.via = "SIP/2.0/UDP host"}), 400);
  EXPECT_EQ(StatusOf({.via = "SIP/2.0/UDP host;branch=abc"}), 400);
  EXPECT_EQ(StatusOf({.via = "SIP/2.0/UDP host;branch=z9hG4bK"}), 400);
}

TEST(RequestChecks, RefuseWhatHasBeenHereBefore) {
  EXPECT_EQ(StatusOf({.via = "SIP/2.0/TLS next;branch=z9hG4bKy, SIP/2.0/TLS "
                             "EDGE.corp.example:5061;branch=z9hG4bKx"}),
            482);
}

TEST(RequestChecks, RefuseMethodsByWhetherTheyExist) {
  for (const char* method : {"REGISTER", "NOTIFY", "PUBLISH", "REFER", "SERVICE"})
    EXPECT_EQ(StatusOf({.method = method}), 405) << method;
  EXPECT_EQ(StatusOf({.method = "NEWMETHOD"}), 501);
  EXPECT_EQ(StatusOf({.method = "CANCEL"}), 481);
}

// Refused there, where it is remembered.
TEST(RequestChecks, LeaveInvitesAndStrangersToTranslation) {
  EXPECT_EQ(StatusOf({.method = "INVITE"}), 0);
  EXPECT_EQ(StatusOf({.from = "<sip:ann@other.example>;tag=1"}), 0);
}

TEST(RequestChecks, RefuseUnknownExtensions) {
  EXPECT_EQ(StatusOf({.extra = "Require: nothing-we-know\r\n"}), 420);
  EXPECT_EQ(StatusOf({.extra = "Proxy-Require: nothing-we-know\r\n"}), 420);
}

TEST(RequestChecks, RefuseSpentHopsButAnswerOptions) {
  EXPECT_EQ(StatusOf({.extra = "Max-Forwards: 0\r\n"}), 483);
  EXPECT_EQ(StatusOf({.method = "OPTIONS", .extra = "Max-Forwards: 0\r\n"}), 200);
  EXPECT_EQ(StatusOf({.method = "OPTIONS", .from = "<sip:ping@other.example>"}), 200);
}

TEST(RequestChecks, RefuseSendersThatMayNotSpeakForTheirDomain) {
  EXPECT_EQ(StatusOf({.from = "<tel:+1>;tag=1"}), 403);
  EXPECT_EQ(StatusOf({.trusted = false}), 403);
}

TEST(RequestChecks, AssertedIdentityMustAgreeWithFrom) {
  EXPECT_EQ(
      StatusOf({.extra = "P-Asserted-Identity: \"Ann\" <sip:ann@corp.example>, <tel:+1>\r\n"}), 0);
  EXPECT_EQ(StatusOf({.extra = "P-Asserted-Identity: <tel:+1>, <sip:eve@corp.example>\r\n"}), 403);
  EXPECT_EQ(StatusOf({.extra = "P-Asserted-Identity: <tel:+1>\r\n"}), 0);
}

// The messages of RFC 4475 that are whole, and still get no further.
TEST(RequestChecks, AnswerTheTortureMessagesAsDecided) {
  const std::map<std::string, int> expected = {
      {"badbranch", 400}, {"inv2543", 400},    {"wsinv", 400},   {"longreq", 400},
      {"bext01", 420},    {"zeromf", 200},     {"esc02", 501},   {"intmeth", 501},
      {"regaut01", 405},  {"unksm2", 405},     {"escnull", 405}, {"cparam01", 405},
      {"cparam02", 405},  {"regescrt", 405},   {"invut", 0},     {"sdp01", 0},
      {"semiuri", 200},   {"transports", 200}, {"lwsdisp", 200}, {"mpart01", 0}};
  for (const auto& [name, status] : expected) {
    std::ifstream file(std::string(RFC4475_DIR) + "/" + name + ".dat", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto message = SipMessage::Parse(bytes, false);
    ASSERT_TRUE(message) << name;
    const auto answer = AnswerWithoutTranslation(*message, true, {});
    EXPECT_EQ(answer ? answer->status : 0, status) << name;
  }
}

TEST(SipTrust, TakesNetworksAndNames) {
  const SipTrust trust = Trust();
  EXPECT_TRUE(trust.TrustsAddress(*SocketAddress::FromIp("192.0.2.77", 5060)));
  EXPECT_FALSE(trust.TrustsAddress(*SocketAddress::FromIp("192.0.3.1", 5060)));
  EXPECT_TRUE(trust.TrustsAddress(*SocketAddress::FromIp("2001:db8::1", 5060)));
  PeerCertificate certificate;
  certificate.presented = certificate.chain_valid = true;
  certificate.dns_names = {"pool.corp.example"};
  EXPECT_EQ(trust.TrustedName(certificate), "pool.corp.example");
  certificate.dns_names = {"evil.pool.corp.example"};
  EXPECT_EQ(trust.TrustedName(certificate), std::nullopt);
  certificate.dns_names = {"*.corp.example"};
  EXPECT_EQ(trust.TrustedName(certificate), std::nullopt);
  certificate.dns_names = {"pool.corp.example"};
  certificate.chain_valid = false;
  EXPECT_EQ(trust.TrustedName(certificate), std::nullopt);
}

TEST(SipTrust, RefusesANetworkThatIsNone) {
  proto::Config config;
  config.mutable_sip()->add_trusted_peers("192.0.2.0/99");
  EXPECT_FALSE(SipTrust::Create(config));
}

}  // namespace
}  // namespace gatehouse
