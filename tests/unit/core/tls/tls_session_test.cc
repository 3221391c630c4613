#include "core/tls/tls_session.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/tls/trust_anchors.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/tls/tls_pair.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Repeated(std::string_view text, std::size_t size) {
  std::string all;
  while (all.size() < size) all += text;
  return all;
}

class Session : public testing::Test {
 protected:
  static CertificatePlan Named(std::string name) {
    CertificatePlan plan;
    plan.dns_names = {std::move(name)};
    return plan;
  }
  CertificateMaker maker_;
  TlsFiles client_files_ = maker_.Issue(Named("partner.example"));
  TlsFiles server_files_ = maker_.Issue(Named("corp.example"));
  std::shared_ptr<const TlsContext> client_ = MustContext(client_files_);
  std::shared_ptr<const TlsContext> server_ = MustContext(server_files_);
};

TEST_F(Session, BothEndsVerifyEachOtherInMemory) {
  TlsPair pair(client_, server_, "corp.example", "corp.example");
  pair.Handshake();
  ASSERT_TRUE(pair.both_done()) << pair.client.error << pair.server.error;
  EXPECT_EQ(pair.client.session->version(), "TLSv1.3");
  EXPECT_EQ(pair.client.session->cipher(), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(pair.server.session->server_name(), "corp.example");
  EXPECT_TRUE(pair.client.session->peer().chain_valid);
  EXPECT_TRUE(MatchesXmppDomain(pair.client.session->peer(), "corp.example"));
  EXPECT_TRUE(MatchesXmppDomain(pair.server.session->peer(), "partner.example"));
  EXPECT_EQ(pair.client.session->alpn(), "");
}

TEST_F(Session, TheAlertByWhichThePeerRefusesOurCertificateIsKept) {
  TlsContext::Options mutual;
  mutual.require_peer_certificate = true;
  const auto refusal = [&](const TlsFiles& shown, const TlsFiles& asks) {
    TlsPair pair(MustContext(shown), MustContext(asks, mutual), "corp.example");
    pair.Handshake();
    EXPECT_EQ(pair.client.handshakes, 1) << "TLS 1.3: the server judges after we are done";
    EXPECT_EQ(pair.server.session->own_certificate_refusal(), "");
    return pair.client.session->own_certificate_refusal();
  };
  EXPECT_EQ(refusal(client_files_, server_files_), "");
  TlsFiles self_signed = maker_.SelfSigned(Named("partner.example"));
  self_signed.trust = client_files_.trust;
  EXPECT_EQ(refusal(self_signed, server_files_), "unknown CA");
  CertificateMaker same_name;  // another authority that has it
  TlsFiles asks = server_files_;
  asks.trust = same_name.trust();
  EXPECT_EQ(refusal(client_files_, asks), "decrypt error");
}

TEST_F(Session, PlaintextGoesBothWays) {
  TlsPair pair(client_, server_);
  pair.Handshake();
  ASSERT_TRUE(pair.client.session->Write("<message/>"));
  ASSERT_TRUE(pair.server.session->Write("<iq/>"));
  pair.Carry();
  EXPECT_EQ(pair.server.received, "<message/>");
  EXPECT_EQ(pair.client.received, "<iq/>");
}

TEST_F(Session, AnyCuttingOfTheCiphertextWillDo) {
  TlsPair pair(client_, server_);
  ASSERT_TRUE(pair.client.session->Start());
  while (!pair.client.outbox.empty() || !pair.server.outbox.empty()) {
    for (auto [from, to] : {std::pair{&pair.client, &pair.server}, {&pair.server, &pair.client}}) {
      const auto flights = std::exchange(from->outbox, {});
      for (const std::string& flight : flights)
        for (const char& octet : flight)
          ASSERT_TRUE(to->session->Feed(std::as_bytes(std::span(&octet, 1))));
    }
  }
  EXPECT_TRUE(pair.both_done());
}

TEST_F(Session, ManyStanzasOfOneWriteShareRecords) {
  TlsPair pair(client_, server_);
  pair.Handshake();
  const std::string stanzas = Repeated("<message to='a'/>", 60000);
  ASSERT_TRUE(pair.client.session->Write(stanzas));
  EXPECT_EQ(pair.client.outbox.size(), 1U);
  pair.Carry();
  EXPECT_EQ(pair.server.received, stanzas);
  EXPECT_EQ(pair.server.record_sizes.size(), 4U);
  EXPECT_EQ(pair.server.record_sizes.front(), 16384U);
}

TEST_F(Session, WritingBeforeTheHandshakeFails) {
  TlsPair pair(client_, server_);
  EXPECT_FALSE(pair.client.session->Write("too early"));
}

TEST_F(Session, CloseNotifyIsTold) {
  TlsPair pair(client_, server_);
  pair.Handshake();
  ASSERT_TRUE(pair.client.session->Write("last"));
  pair.client.session->Shutdown();
  pair.Carry();
  EXPECT_EQ(pair.server.received, "last");
  EXPECT_EQ(pair.server.peer_closed, 1);
  EXPECT_TRUE(pair.server.session->Write("still allowed"));
}

TEST_F(Session, ATamperedRecordFailsAndSendsTheAlert) {
  TlsPair pair(client_, server_);
  pair.Handshake();
  ASSERT_TRUE(pair.client.session->Write("text"));
  pair.client.outbox.front().back() ^= 1;
  pair.Carry();
  EXPECT_THAT(pair.server.error, HasSubstr("DECRYPT"));
  EXPECT_THAT(pair.client.error, HasSubstr("ALERT"));
  EXPECT_THAT(pair.server.received, IsEmpty());
}

TEST_F(Session, PlainTextInsteadOfAHandshakeFails) {
  TlsPair pair(client_, server_);
  const std::string text = "<stream:stream xmlns='jabber:server'>";
  const auto result = pair.server.session->Feed(std::as_bytes(std::span(text)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().fault, Fault::kPeer);
}

TEST_F(Session, AnotherServerNameThanExpectedMeetsTheAlert) {
  TlsPair pair(client_, server_, "evil.example", "corp.example");
  pair.Handshake();
  EXPECT_FALSE(pair.both_done());
  EXPECT_THAT(pair.client.error, HasSubstr("UNRECOGNIZED_NAME"));
}

TEST_F(Session, NoServerNameIsFineAfterStartTls) {
  TlsPair pair(client_, server_, "", "corp.example");
  pair.Handshake();
  EXPECT_TRUE(pair.both_done());
}

// 2.15
TEST_F(Session, DirectTlsInsistsOnAServedName) {
  const auto direct = MustContext(
      server_files_, {.alpn = "xmpp-server", .required_server_names = {"corp.example"}});
  TlsPair served(client_, direct, "CORP.example");
  served.Handshake();
  EXPECT_TRUE(served.both_done()) << served.client.error;
  TlsPair foreign(client_, direct, "other.example");
  foreign.Handshake();
  EXPECT_THAT(foreign.client.error, HasSubstr("UNRECOGNIZED_NAME"));
  TlsPair silent(client_, direct, "");
  silent.Handshake();
  EXPECT_THAT(silent.client.error, HasSubstr("UNRECOGNIZED_NAME"));
}

// 2.15
TEST_F(Session, AnOfferedProtocolMustBeOurs) {
  const auto direct = MustContext(server_files_, {.alpn = "xmpp-server"});
  TlsPair same(MustContext(client_files_, {.alpn = "xmpp-server"}), direct);
  same.Handshake();
  EXPECT_EQ(same.client.session->alpn(), "xmpp-server");
  EXPECT_EQ(same.server.session->alpn(), "xmpp-server");
  TlsPair other(MustContext(client_files_, {.alpn = "h2"}), direct);
  other.Handshake();
  EXPECT_THAT(other.client.error, HasSubstr("NO_APPLICATION_PROTOCOL"));
  TlsPair none(client_, direct);
  none.Handshake();
  EXPECT_TRUE(none.both_done());
}

// 11.8
TEST_F(Session, MutualTlsFailsWithoutAValidChain) {
  const auto strict = MustContext(server_files_, {.require_peer_certificate = true});
  TlsPair good(client_, strict);
  good.Handshake();
  EXPECT_TRUE(good.both_done());
  TlsPair bare(MustContext({"", "", maker_.trust()}), strict);
  bare.Handshake();
  EXPECT_THAT(bare.server.error, HasSubstr("PEER_DID_NOT_RETURN_A_CERTIFICATE"));
  TlsPair stranger(MustContext(maker_.SelfSigned(Named("partner.example"))), strict);
  stranger.Handshake();
  EXPECT_THAT(stranger.server.error, HasSubstr("issuer"));
  EXPECT_THAT(stranger.client.error, HasSubstr("ALERT"));
}

TEST_F(Session, MutualTlsJudgesTheServerToo) {
  TlsFiles files = maker_.SelfSigned(Named("corp.example"));
  const auto strict = MustContext(client_files_, {.require_peer_certificate = true});
  TlsPair pair(strict, MustContext(files));
  pair.Handshake();
  EXPECT_EQ(pair.client.handshakes, 0);
  EXPECT_THAT(pair.client.error, HasSubstr("issuer"));
}

// RFC 5924 §4
TEST_F(Session, MutualTlsTakesTheKeyPurposeOfSip) {
  CertificatePlan plan = Named("pool.corp.example");
  plan.extended_key_usage = "1.3.6.1.5.5.7.3.20";
  TlsPair pair(MustContext(maker_.Issue(plan)),
               MustContext(server_files_, {.require_peer_certificate = true}));
  pair.Handshake();
  EXPECT_TRUE(pair.both_done()) << pair.server.error;
}

std::string TextOf(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// 2.5: partner-pinned anchors
TEST_F(Session, JudgesThePeerAgainstOtherAnchorsToo) {
  CertificateMaker theirs;
  CertificatePlan middle;
  middle.is_authority = true;
  middle.key_usage = "keyCertSign";
  const TlsFiles files = theirs.IssueBelow(middle, Named("partner.example"));
  TlsPair pair(MustContext(files), server_);
  pair.Handshake();
  const TlsSession& session = *pair.server.session;
  EXPECT_FALSE(session.peer().chain_valid);
  const PeerCertificate judged = session.JudgeAgainst(TextOf(theirs.trust()));
  EXPECT_TRUE(judged.chain_valid) << judged.chain_error;
  EXPECT_TRUE(MatchesXmppDomain(judged, "partner.example"));
  EXPECT_EQ(judged.sha256, session.peer().sha256);
  EXPECT_FALSE(session.JudgeAgainst(TextOf(maker_.trust())).chain_valid);
  EXPECT_THAT(session.JudgeAgainst("none").chain_error, HasSubstr("no PEM certificate"));
}

TEST_F(Session, APeerWithoutCertificateProvesNothingToAnyAnchors) {
  TlsPair pair(MustContext({"", "", maker_.trust()}), server_);
  pair.Handshake();
  EXPECT_FALSE(pair.server.session->JudgeAgainst(TextOf(maker_.trust())).presented);
}

TEST(TrustAnchors, AreCountedOrRefused) {
  const CertificateMaker maker;
  const std::string one = TextOf(maker.trust());
  EXPECT_EQ(*CountAnchors("A comment\n" + one + one), 2U);
  EXPECT_THAT(CountAnchors("").error().text, HasSubstr("no PEM certificate"));
  EXPECT_THAT(CountAnchors(one + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                  .error()
                  .text,
              HasSubstr("certificate 2 cannot be read"));
  EXPECT_FALSE(CountAnchors(one + std::string(kMaxAnchorsBytes, ' ')));
}

TEST_F(Session, EveryHandshakeIsAFullOneWithoutResumption) {
  for (int connection = 0; connection < 2; ++connection) {
    TlsPair pair(client_, server_);
    pair.Handshake();
    EXPECT_TRUE(pair.server.session->peer().chain_valid);
    EXPECT_FALSE(pair.server.session->resumed());
  }
}

class Resumption : public Session {
 protected:
  static constexpr const char* kName = "corp.example";
  // True where the handshake was an abbreviated one; both ends must agree.
  bool Resumes(const std::shared_ptr<const TlsContext>& client,
               const std::shared_ptr<const TlsContext>& server, std::string_view name = kName) {
    TlsPair pair(client, server, name);
    pair.Handshake();
    EXPECT_TRUE(pair.both_done()) << pair.client.error << pair.server.error;
    EXPECT_TRUE(pair.server.session->Write("<stream>"));  // takes the ticket along
    pair.Carry();
    EXPECT_EQ(pair.client.session->resumed(), pair.server.session->resumed());
    by_server_ = pair.server.session->peer();
    by_client_ = pair.client.session->peer();
    return pair.client.session->resumed();
  }
  std::shared_ptr<const TlsContext> Resuming(const TlsFiles& files) {
    return MustContext(files, {.resume_sessions = true});
  }

  PeerCertificate by_server_, by_client_;
};

TEST_F(Resumption, BothEndsJudgeThePeersCertificateAllTheSame) {
  const auto client = Resuming(client_files_);
  const auto server = Resuming(server_files_);
  EXPECT_FALSE(Resumes(client, server));
  const std::string leaf = by_server_.sha256;
  for (int connection = 0; connection < 3; ++connection) {
    EXPECT_TRUE(Resumes(client, server));
    EXPECT_TRUE(by_server_.chain_valid) << by_server_.chain_error;
    EXPECT_TRUE(MatchesXmppDomain(by_server_, "partner.example"));
    EXPECT_EQ(by_server_.sha256, leaf);
    EXPECT_GT(by_server_.not_after_unix, 0);
    EXPECT_TRUE(by_client_.chain_valid) << by_client_.chain_error;
    EXPECT_TRUE(MatchesXmppDomain(by_client_, "corp.example"));
  }
}

TEST_F(Resumption, AStrangerStaysAStranger) {
  TlsFiles stranger = maker_.SelfSigned(Named("partner.example"));
  const auto client = Resuming(stranger);
  const auto server = Resuming(server_files_);
  EXPECT_FALSE(Resumes(client, server));
  EXPECT_TRUE(Resumes(client, server));
  EXPECT_TRUE(by_server_.presented);
  EXPECT_FALSE(by_server_.chain_valid);
  EXPECT_TRUE(MatchesXmppDomain(by_server_, "partner.example"));
}

TEST_F(Resumption, WhoShowedNothingHasShownNothing) {
  const auto client = Resuming({"", "", maker_.trust()});
  const auto server = Resuming(server_files_);
  EXPECT_FALSE(Resumes(client, server));
  EXPECT_TRUE(Resumes(client, server));
  EXPECT_FALSE(by_server_.presented);
  EXPECT_FALSE(by_server_.chain_valid);
}

// The anchors of a partner are asked of a resumed session as of any other.
TEST_F(Resumption, OtherAnchorsJudgeTheRememberedChain) {
  const auto client = Resuming(client_files_);
  const auto server = Resuming(server_files_);
  Resumes(client, server);
  TlsPair pair(client, server, kName);
  pair.Handshake();
  ASSERT_TRUE(pair.server.session->resumed());
  const CertificateMaker others;
  EXPECT_TRUE(pair.server.session->JudgeAgainst(TextOf(maker_.trust())).chain_valid);
  EXPECT_FALSE(pair.server.session->JudgeAgainst(TextOf(others.trust())).chain_valid);
}

TEST_F(Resumption, WhatIsForgottenIsNotOfferedNorLearntAnew) {
  const auto client = Resuming(client_files_);
  const auto server = Resuming(server_files_);
  Resumes(client, server);
  TlsPair pair(client, server, kName);
  pair.Handshake();
  ASSERT_TRUE(pair.client.session->resumed());
  pair.client.session->ForgetTickets();
  EXPECT_TRUE(pair.server.session->Write("<stream>"));  // with another ticket
  pair.Carry();
  EXPECT_FALSE(Resumes(client, server));
}

// 2.4 no. 4: bound to the server name
TEST_F(Resumption, IsBoundToTheServerName) {
  const auto client = Resuming(client_files_);
  const auto server = Resuming(server_files_);
  Resumes(client, server);
  EXPECT_FALSE(Resumes(client, server, "second.corp.example"));
  EXPECT_TRUE(Resumes(client, server, "second.corp.example"));
  EXPECT_TRUE(Resumes(client, server));
}

// A reload makes a new context: new anchors, a new certificate, nothing remembered.
TEST_F(Resumption, EndsWithTheContext) {
  const auto client = Resuming(client_files_);
  Resumes(client, Resuming(server_files_));
  EXPECT_FALSE(Resumes(client, Resuming(server_files_)));
}

TEST_F(Resumption, NeverWithMutualTlsThatMustHold) {
  const TlsContext::Options strict{.require_peer_certificate = true, .resume_sessions = true};
  const auto client = Resuming(client_files_);
  const auto server = MustContext(server_files_, strict);
  for (int connection = 0; connection < 2; ++connection) EXPECT_FALSE(Resumes(client, server));
}

TEST_F(Session, MayBeDestroyedInsideItsCallbacks) {
  for (const char* where : {"ciphertext", "handshake", "plaintext", "closed"}) {
    TlsPair pair(client_, server_);
    std::unique_ptr<TlsSession> fragile;
    std::string after;
    const auto die_at = [&fragile, &after, where](std::string_view place) {
      if (place != where) return;
      fragile.reset();
      after = place;  // the callback itself outlives the session
    };
    std::string to_server;
    auto made = TlsSession::Create(client_, TlsSession::Role::kClient, "",
                                   {.on_ciphertext =
                                        [&to_server, die_at](std::string_view bytes) {
                                          to_server += bytes;
                                          die_at("ciphertext");
                                        },
                                    .on_plaintext = [die_at](auto) { die_at("plaintext"); },
                                    .on_handshake_done = [die_at] { die_at("handshake"); },
                                    .on_peer_closed = [die_at] { die_at("closed"); }});
    ASSERT_TRUE(made);
    fragile = *std::move(made);
    ASSERT_TRUE(fragile->Start());
    for (int turn = 0; turn < 4 && fragile; ++turn) {
      const std::string bytes = std::exchange(to_server, {});
      ASSERT_TRUE(pair.server.session->Feed(std::as_bytes(std::span(bytes))));
      if (pair.server.handshakes == 1 && turn > 1) pair.server.session->Shutdown();
      if (pair.server.handshakes == 1 && turn == 1) {
        ASSERT_TRUE(pair.server.session->Write("text"));
      }
      std::string reply;
      for (const auto& part : std::exchange(pair.server.outbox, {})) reply += part;
      if (fragile) {
        ASSERT_TRUE(fragile->Feed(std::as_bytes(std::span(reply))));
      }
    }
    EXPECT_EQ(after, where);
  }
}

}  // namespace
}  // namespace gatehouse
