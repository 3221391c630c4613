#include "core/tls/own_certificate.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/tls/tls_pair.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Content(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class OwnCertificateTest : public testing::Test {
 protected:
  std::shared_ptr<const OwnCertificate> Parsed(const TlsFiles& files) {
    auto parsed = OwnCertificate::Parse(Content(files.chain_file), Content(files.key_file));
    EXPECT_TRUE(parsed) << parsed.error().text;
    return *parsed;
  }
  TlsFiles Named(const std::string& name) {
    CertificatePlan plan;
    plan.dns_names = {name};
    return maker_.Issue(plan);
  }
  // What a client sees of a server with that context.
  static PeerCertificate Seen(const std::shared_ptr<const TlsContext>& client,
                              const std::shared_ptr<const TlsContext>& server) {
    TlsPair pair(client, server);
    pair.Handshake();
    EXPECT_TRUE(pair.both_done()) << pair.client.error << pair.server.error;
    return pair.client.session->peer();
  }

  CertificateMaker maker_;
  const TlsFiles client_files_ = Named("client.example");
  const std::shared_ptr<const TlsContext> client_ = MustContext(client_files_);
};

TEST_F(OwnCertificateTest, IsShownInPlaceOfTheFilesByTheSameRules) {
  const auto from_files = MustContext(Named("files.example"), {.alpn = "xmpp-server"});
  const auto other = TlsContext::Like(*from_files, *Parsed(Named("store.example")));
  ASSERT_TRUE(other) << other.error().text;
  const auto asker = MustContext(client_files_, {.alpn = "xmpp-server"});
  EXPECT_THAT(Seen(asker, *other).dns_names, ElementsAre("store.example"));
  EXPECT_THAT(Seen(asker, from_files).dns_names, ElementsAre("files.example"));
  const auto wrong = MustContext(client_files_, {.alpn = "h2"});
  TlsPair refused(wrong, *other);
  refused.Handshake();
  EXPECT_FALSE(refused.both_done());
}

TEST_F(OwnCertificateTest, KeepsTheAnchorsOfTheRules) {
  const auto rules =
      MustContext({{}, {}, maker_.trust()}, {.require_peer_certificate = true, .alpn = {}});
  EXPECT_FALSE(rules->has_certificate());
  const auto server = TlsContext::Like(*rules, *Parsed(Named("store.example")));
  ASSERT_TRUE(server);
  EXPECT_TRUE((*server)->has_certificate());
  TlsPair known(client_, *server);
  known.Handshake();
  EXPECT_TRUE(known.both_done()) << known.server.error;
  CertificateMaker stranger;
  TlsPair unknown(MustContext(stranger.Issue({})), *server);
  unknown.Handshake();
  EXPECT_NE(unknown.server.handshakes, 1);
}

TEST_F(OwnCertificateTest, IsSentWithItsWholeChain) {
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  CertificatePlan leaf;
  leaf.dns_names = {"store.example"};
  const auto server = TlsContext::Like(*client_, *Parsed(maker_.IssueBelow(middle, leaf)));
  ASSERT_TRUE(server);
  const PeerCertificate seen = Seen(client_, *server);
  EXPECT_TRUE(seen.chain_valid) << seen.chain_error;
}

// Who resumed would not see the new certificate.
TEST_F(OwnCertificateTest, TakesNoTicketsOfTheContextBefore) {
  const auto before = MustContext(Named("old.example"), {.resume_sessions = true});
  const auto asker = MustContext(client_files_, {.resume_sessions = true});
  TlsPair first(asker, before);
  first.Handshake();
  ASSERT_TRUE(first.server.session->Write("hello"));  // TLS 1.3: the tickets come with it
  first.Carry();
  const auto after = TlsContext::Like(*before, *Parsed(Named("new.example")));
  ASSERT_TRUE(after);
  TlsPair second(asker, *after);
  second.Handshake();
  ASSERT_TRUE(second.both_done()) << second.client.error;
  EXPECT_FALSE(second.client.session->resumed());
  EXPECT_THAT(second.client.session->peer().dns_names, ElementsAre("new.example"));
  ASSERT_TRUE(first.client.session->Write("and on"));
  first.Carry();
  EXPECT_EQ(first.server.received, "and on");
}

TEST_F(OwnCertificateTest, IsNoneWithoutItsOwnKey) {
  const std::string chain = Content(client_files_.chain_file);
  const std::string key = Content(client_files_.key_file);
  const std::string other = Content(Named("other.example").key_file);
  EXPECT_THAT(OwnCertificate::Parse(chain, other).error().text,
              HasSubstr("does not belong to the certificate"));
  EXPECT_THAT(OwnCertificate::Parse(chain, "").error().text, HasSubstr("private key"));
  EXPECT_THAT(OwnCertificate::Parse("", key).error().text, HasSubstr("certificate chain"));
  EXPECT_THAT(OwnCertificate::Parse(chain + chain.substr(0, chain.size() - 40), key).error().text,
              HasSubstr("certificate chain"));
}

TEST_F(OwnCertificateTest, LeavesNothingOfAWipedSecret) {
  std::string secret = "secret";
  Wipe(secret);
  EXPECT_TRUE(secret.empty());
}

}  // namespace
}  // namespace gatehouse
