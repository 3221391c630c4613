#include "core/policy/decide.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "core/policy/partner_type.h"

namespace gatehouse {
namespace {

using enum TrafficKind;

// A partner of each type under row 7 (A, B): "federated.example", "verified.example",
// "unverified.example". clear.example: row 17 (C). off.example: listed, not enabled.
class DecideTest : public testing::Test {
 protected:
  DecideTest() {
    proto::Partner& federated = Add("federated.example", kFederated);
    federated.add_additional_domains("more.federated.example");
    Add("verified.example", kPublicVerified);
    Add("unverified.example", kPublicUnverified);
    proto::Partner& clear = Add("clear.example", kFederated);
    clear.set_tls(proto::NOT_SUPPORTED);
    clear.set_sasl(proto::NOT_SUPPORTED);
    Add("off.example", kFederated).set_enabled(false);
    proto::Partner& no_method = Add("no-method.example", kFederated);
    no_method.set_sasl(proto::NOT_SUPPORTED);
    no_method.set_dialback(false);
  }
  proto::Partner& Add(const std::string& domain, const std::string& type) {
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain(domain);
    partner.set_type(type);
    partner.set_sasl(proto::OPTIONAL);
    partner.set_dialback(true);
    partner.set_enabled(true);
    return partner;
  }
  Verdict On(const Envelope& envelope) const { return Decide(PolicyView(snapshot), envelope); }
  static Envelope About(TrafficKind kind, std::string_view remote,
                        ContactState contact = ContactState::kNotAsked, bool awaited = false) {
    return {.kind = kind,
            .local_domain = "contoso.example",
            .remote_domain = remote,
            .method = proto::SASL_TLS,
            .contact = contact,
            .awaited = awaited};
  }

  proto::PolicySnapshot snapshot;
};

// --- the partner and how its domain was proven

struct PairCase {
  TrafficKind kind;
  std::string_view local;
  std::string_view remote;
  proto::AuthMethod method;
  Reason expected;
};

constexpr auto kAllowed = Reason::kNone;
constexpr auto kUnknown = Reason::kUnknownPartner;
constexpr auto kDisabled = Reason::kPartnerDisabled;
constexpr auto kMethod = Reason::kMethodNotPermitted;
constexpr auto kNotOurs = Reason::kNotOurDomain;

// clang-format off
constexpr std::array kPairCases = {
    PairCase{kMessage,    "contoso.example", "federated.example",      proto::SASL_TLS,         kAllowed},
    PairCase{kMessage,    "contoso.example", "federated.example",      proto::TLS_DIALBACK,     kAllowed},
    PairCase{kMessage,    "contoso.example", "federated.example",      proto::TCP_DIALBACK,     kMethod},
    PairCase{kMessage,    "contoso.example", "federated.example",      proto::AUTH_METHOD_NONE, kMethod},
    PairCase{kMessage,    "contoso.example", "more.federated.example", proto::SASL_TLS,         kAllowed},
    PairCase{kMessage,    "contoso.example", "sub.federated.example",  proto::SASL_TLS,         kUnknown},
    PairCase{kMessage,    "contoso.example", "clear.example",          proto::TCP_DIALBACK,     kAllowed},
    PairCase{kMessage,    "contoso.example", "clear.example",          proto::SASL_TLS,         kMethod},
    PairCase{kMessage,    "contoso.example", "off.example",            proto::SASL_TLS,         kDisabled},
    PairCase{kMessage,    "contoso.example", "stranger.example",       proto::SASL_TLS,         kUnknown},
    PairCase{kMessage,    "contoso.example", "",                       proto::SASL_TLS,         kUnknown},
    PairCase{kMessage,    "",                "federated.example",      proto::SASL_TLS,         kNotOurs},
    PairCase{kSipMessage, "contoso.example", "federated.example",      proto::AUTH_METHOD_NONE, kAllowed},
    PairCase{kSipMessage, "contoso.example", "clear.example",          proto::AUTH_METHOD_NONE, kAllowed},
    PairCase{kSipMessage, "contoso.example", "off.example",            proto::AUTH_METHOD_NONE, kDisabled},
    PairCase{kSipMessage, "contoso.example", "stranger.example",       proto::AUTH_METHOD_NONE, kUnknown},
    PairCase{kSipMessage, "contoso.example", "no-method.example",      proto::AUTH_METHOD_NONE, kMethod},
    PairCase{kSipMessage, "",                "federated.example",      proto::AUTH_METHOD_NONE, kNotOurs},
};
// clang-format on

TEST_F(DecideTest, AllowsListedDomainsByTheMethodsOfTheirRowAndRefusesTheRest) {
  for (const PairCase& one : kPairCases) {
    const Verdict verdict = On({.kind = one.kind,
                                .local_domain = one.local,
                                .remote_domain = one.remote,
                                .method = one.method});
    EXPECT_EQ(verdict.reason, one.expected) << one.remote << " " << one.method;
    EXPECT_EQ(verdict.decision, one.expected == kAllowed ? Decision::kAllow : Decision::kDeny);
    EXPECT_FALSE(verdict.rule.empty());
  }
}

TEST_F(DecideTest, TellsEachWhatItsKindOfTrafficGetsFromNoPartner) {
  using Answer = DenialAnswer;
  for (const auto& [kind, answer] : {std::pair{kSubscribe, Answer::kUnsubscribed},
                                     {kMessage, Answer::kForbidden},
                                     {kIqToUser, Answer::kServiceUnavailable},
                                     {kIqToDomain, Answer::kServiceUnavailable},
                                     {kSipMessage, Answer::kSipNotFound},
                                     {kSipSubscribe, Answer::kSipNotFound},
                                     {kSipSignal, Answer::kSipNotFound},
                                     {kUnsubscribe, Answer::kNone},
                                     {kPresence, Answer::kNone},
                                     {kError, Answer::kNone},
                                     {kIqAnswer, Answer::kNone},
                                     {kSipPresence, Answer::kNone}}) {
    const Verdict verdict = On(About(kind, "stranger.example", ContactState::kAuthorised, true));
    EXPECT_EQ(verdict.answer, answer) << KindName(kind);
    EXPECT_EQ(verdict.decision, answer == Answer::kNone ? Decision::kDrop : Decision::kDeny);
    EXPECT_EQ(verdict.reason, Reason::kUnknownPartner);
  }
}

TEST_F(DecideTest, RefusesEverybodyWhileFederationIsOff) {
  proto::PolicySnapshot off;
  proto::Partner& partner = *off.add_partners();
  partner.set_domain("federated.example");
  partner.set_enabled(true);
  off.mutable_gateway()->set_federation(proto::GatewaySettings::OFF);
  const PolicyView policy{std::move(off)};
  const Verdict out = Decide(policy, About(kSipMessage, "federated.example"));
  EXPECT_EQ(out.reason, Reason::kFederationOff);
  EXPECT_EQ(out.answer, DenialAnswer::kSipForbidden);
  EXPECT_EQ(Decide(policy, About(kMessage, "federated.example")).answer, DenialAnswer::kForbidden);
}

TEST_F(DecideTest, RefusesEverybodyUnderAnEmptyPolicy) {
  const PolicyView policy{proto::PolicySnapshot{}};
  for (const TrafficKind kind : {kMessage, kSubscribe, kSipMessage, kSipSubscribe})
    EXPECT_EQ(Decide(policy, About(kind, "federated.example")).decision, Decision::kDeny);
}

void LetAllButCarl(proto::PolicySnapshot& snapshot) {
  proto::AccessPolicy& everybody = *snapshot.add_access_policies();
  everybody.set_name("global");
  everybody.set_xmpp_access(true);
  proto::AccessPolicy& nobody = *snapshot.add_access_policies();
  nobody.set_name("tag:nobody");
  nobody.add_users("carl@contoso.example");
}

TEST_F(DecideTest, AnswersForAUserWithoutXmppAccessAsForOneWhoIsNotThereBothWays) {
  using Answer = DenialAnswer;
  LetAllButCarl(snapshot);
  for (const auto& [kind, answer] : {std::pair{kSubscribe, Answer::kUnsubscribed},
                                     {kMessage, Answer::kForbidden},
                                     {kIqToUser, Answer::kServiceUnavailable},
                                     {kSipMessage, Answer::kSipForbidden},
                                     {kSipSubscribe, Answer::kSipForbidden},
                                     {kPresence, Answer::kNone},
                                     {kSipPresence, Answer::kNone}}) {
    Envelope envelope = About(kind, "federated.example", ContactState::kAuthorised, true);
    envelope.local_part = "carl";
    const Verdict verdict = On(envelope);
    EXPECT_EQ(verdict.answer, answer) << KindName(kind);
    EXPECT_EQ(verdict.reason, Reason::kNoXmppAccess);
    EXPECT_EQ(verdict.rule, "access-user");
  }
  Envelope ann = About(kMessage, "federated.example", ContactState::kAuthorised);
  ann.local_part = "ann";
  EXPECT_TRUE(On(ann).allowed());
}

// 5.3: who may and who may not are told apart by no quicker answer.
TEST_F(DecideTest, AsksForTheContactOfAUserWithoutXmppAccessToo) {
  LetAllButCarl(snapshot);
  for (const std::string_view user : {"ann", "carl"}) {
    Envelope envelope = About(kMessage, "unverified.example", ContactState::kNotAsked);
    envelope.local_part = user;
    EXPECT_EQ(On(envelope).decision, Decision::kAskEngine) << user;
    envelope.contact = ContactState::kNotAuthorised;
    EXPECT_EQ(On(envelope).answer, DenialAnswer::kForbidden) << user;
  }
}

// What the contact learns: the answer and its words. Who ends a subscription is told that it has
// ended, by sip_translator.
std::string Learns(const Verdict& verdict, TrafficKind kind) {
  if (verdict.allowed()) return kind == kUnsubscribe ? "unsubscribed" : "";
  if (verdict.answer == DenialAnswer::kNone) return "";
  if (verdict.answer == DenialAnswer::kUnsubscribed) return "unsubscribed";
  return std::string(AnswerName(verdict.answer)) + ", " + ToldText(verdict.reason, {});
}

// 5.3: of our users a contact whom nobody has added learns nothing.
TEST_F(DecideTest, TellsAnUnlistedContactTheSameOfAUserWithAndOneWithoutAccess) {
  LetAllButCarl(snapshot);
  for (const TrafficKindWord& word : KindWords()) {
    const bool to_domain =
        word.kind == kPresenceToDomain || word.kind == kMessageToDomain || word.kind == kIqToDomain;
    if (DirectionOf(word.kind) != Direction::kXmppToSip || to_domain) continue;
    for (const bool awaited : {false, true}) {
      Envelope envelope =
          About(word.kind, "unverified.example", ContactState::kNotAuthorised, awaited);
      envelope.local_part = "ann";
      const std::string of_ann = Learns(On(envelope), word.kind);
      envelope.local_part = "carl";
      EXPECT_EQ(Learns(On(envelope), word.kind), of_ann) << KindName(word.kind);
    }
  }
}

TEST_F(DecideTest, AsksForNoContactThatAUserWithoutAccessAdds) {
  LetAllButCarl(snapshot);
  snapshot.add_blocked_domains("federated.example");
  Envelope envelope = About(kSipSubscribe, "federated.example", ContactState::kNotAsked);
  envelope.local_part = "ann";
  EXPECT_EQ(On(envelope).decision, Decision::kAskEngine);
  envelope.local_part = "carl";
  EXPECT_EQ(On(envelope).answer, DenialAnswer::kSipForbidden);
  EXPECT_EQ(On(envelope).reason, Reason::kNoXmppAccess);
}

// --- 5.2, cell by cell

// P, A (auto-approve) and S (strip note) pass; D is denied with the row's answer, I is dropped.
struct TableRow {
  TrafficKind kind;
  bool awaited;
  std::string_view cells;  // Fed Y, Fed n, PubV Y, PubV n, PubU Y, PubU n
  DenialAnswer denied = DenialAnswer::kNone;
};

// clang-format off
constexpr std::array kTable = {
    TableRow{kSubscribe,        false, "AAAAPD", DenialAnswer::kUnsubscribed},
    TableRow{kUnsubscribe,      false, "PPPPPP"},
    TableRow{kSubscribed,       true,  "PPPPPI"},  // a subscribe of ours is pending or approved
    TableRow{kSubscribed,       false, "IIIIII"},
    TableRow{kUnsubscribed,     false, "PPPPPP"},
    TableRow{kPresence,         true,  "PIPIPI"},  // the SIP user has a notification dialog
    TableRow{kPresence,         false, "IIIIII"},
    TableRow{kPresenceToDomain, false, "IIIIII"},
    TableRow{kProbe,            true,  "PPPPPD", DenialAnswer::kUnsubscribed},  // approved
    TableRow{kProbe,            false, "PDPDPD", DenialAnswer::kUnsubscribed},
    TableRow{kMessage,          false, "PPPPPD", DenialAnswer::kForbidden},
    TableRow{kChatState,        false, "PPPPPI"},
    TableRow{kGroupchat,        false, "DDDDDD", DenialAnswer::kServiceUnavailable},
    TableRow{kMessageToDomain,  false, "DDDDDD", DenialAnswer::kServiceUnavailable},
    TableRow{kError,            false, "PPPPPP"},
    TableRow{kIqToUser,         false, "PPPPPD", DenialAnswer::kServiceUnavailable},
    TableRow{kIqToDomain,       false, "PPPPPP"},
    TableRow{kIqAnswer,         false, "PPPPPP"},
    TableRow{kSipSubscribe,     false, "PPPPPP"},
    TableRow{kSipPresence,      true,  "PPSSSI"},  // the contact's subscription is approved
    TableRow{kSipPresence,      false, "IIIIII"},
    TableRow{kSipMessage,       false, "PPPPPD", DenialAnswer::kSipForbidden},
    TableRow{kSipSignal,        false, "PPPPPI"},
    TableRow{kSipOptions,       false, "PPPPPP"},
};
// clang-format on

struct Column {
  std::string_view remote;
  ContactState contact;
};
constexpr std::array kColumns = {Column{"federated.example", ContactState::kAuthorised},
                                 Column{"federated.example", ContactState::kNotAuthorised},
                                 Column{"verified.example", ContactState::kAuthorised},
                                 Column{"verified.example", ContactState::kNotAuthorised},
                                 Column{"unverified.example", ContactState::kAuthorised},
                                 Column{"unverified.example", ContactState::kNotAuthorised}};

Decision DecisionOf(char cell) {
  switch (cell) {
    case 'A':
      return Decision::kAllowAutoApprove;
    case 'S':
      return Decision::kAllowStripNote;
    case 'D':
      return Decision::kDeny;
    case 'I':
      return Decision::kDrop;
    default:
      return Decision::kAllow;
  }
}

TEST_F(DecideTest, AnswersEveryCellOfTheTable) {
  for (const TableRow& row : kTable)
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      const Column& column = kColumns.at(i);
      SCOPED_TRACE(std::string(KindName(row.kind)) + " " + std::string(column.remote) + " " +
                   std::string(ContactStateName(column.contact)));
      const Verdict verdict = On(About(row.kind, column.remote, column.contact, row.awaited));
      const Decision expected = DecisionOf(row.cells.at(i));
      EXPECT_EQ(DecisionName(verdict.decision), DecisionName(expected));
      EXPECT_EQ(verdict.answer, expected == Decision::kDeny ? row.denied : DenialAnswer::kNone);
      EXPECT_EQ(verdict.reason == Reason::kNone, verdict.allowed());
      EXPECT_FALSE(verdict.rule.empty());
    }
}

// Of a type of the operator's own: what its permissions say in words, a kind at a time.
Decision Expected(TrafficKind kind, const Permissions& may, bool authorised, bool awaited) {
  switch (kind) {
    case kSubscribe:
      if (!authorised && !may.may_subscribe) return Decision::kDeny;
      return may.auto_approve ? Decision::kAllowAutoApprove : Decision::kAllow;
    case kSubscribed:
      return awaited && (authorised || may.may_subscribe) ? Decision::kAllow : Decision::kDrop;
    case kPresence:
      return awaited && authorised ? Decision::kAllow : Decision::kDrop;
    case kProbe:
      return authorised || (may.may_subscribe && awaited) ? Decision::kAllow : Decision::kDeny;
    case kSipPresence:
      if (!awaited || (!authorised && !may.may_subscribe)) return Decision::kDrop;
      return may.sees_note ? Decision::kAllow : Decision::kAllowStripNote;
    case kMessage:
    case kIqToUser:
    case kSipMessage:
      return authorised || may.may_message_unlisted ? Decision::kAllow : Decision::kDeny;
    case kChatState:
    case kSipSignal:
      return authorised || may.may_message_unlisted ? Decision::kAllow : Decision::kDrop;
    case kGroupchat:
    case kMessageToDomain:
      return Decision::kDeny;
    case kPresenceToDomain:
      return Decision::kDrop;
    default:
      return Decision::kAllow;
  }
}

TEST_F(DecideTest, GoesByThePermissionsOfATypeOfTheOperatorsOwn) {
  Add("supplier.example", "supplier");
  proto::PartnerType& type = *snapshot.add_partner_types();
  type.set_name("supplier");
  for (int bits = 0; bits < 32; ++bits) {
    type.set_may_subscribe((bits & 1) != 0);
    type.set_auto_approve((bits & 2) != 0);
    type.set_may_message_unlisted((bits & 4) != 0);
    type.set_sees_note((bits & 8) != 0);
    type.set_sees_rich_activity((bits & 16) != 0);
    const PolicyView policy{proto::PolicySnapshot(snapshot)};
    for (const TrafficKindWord& word : KindWords())
      for (const bool authorised : {false, true})
        for (const bool awaited : {false, true}) {
          const ContactState state =
              authorised ? ContactState::kAuthorised : ContactState::kNotAuthorised;
          const Verdict verdict =
              Decide(policy, About(word.kind, "supplier.example", state, awaited));
          EXPECT_EQ(DecisionName(verdict.decision),
                    DecisionName(Expected(word.kind, PermissionsOf(type), authorised, awaited)))
              << word.word << " " << bits << " " << authorised << awaited;
          if (verdict.allowed() && word.kind != kSipOptions) {
            EXPECT_EQ(verdict.rich_activity, type.sees_rich_activity()) << word.word;
          }
        }
  }
}

TEST_F(DecideTest, HasARowForEveryKind) {
  std::set<TrafficKind> seen;
  for (const TableRow& row : kTable) seen.insert(row.kind);
  EXPECT_EQ(seen.size(), KindWords().size());
}

// The engine is asked exactly where "Y" and "n" differ, so where the table needs it and nowhere
// else.
TEST_F(DecideTest, AsksOnlyWhereTheAnswerDependsOnTheContact) {
  for (const TableRow& row : kTable)
    for (std::size_t i = 0; i < kColumns.size(); i += 2) {
      const std::string_view remote = kColumns.at(i).remote;
      SCOPED_TRACE(std::string(KindName(row.kind)) + " " + std::string(remote));
      const Verdict verdict = On(About(row.kind, remote, ContactState::kNotAsked, row.awaited));
      const bool differ = row.cells.at(i) != row.cells.at(i + 1);
      EXPECT_EQ(verdict.decision == Decision::kAskEngine, differ);
      if (differ) continue;
      EXPECT_EQ(DecisionName(verdict.decision), DecisionName(DecisionOf(row.cells.at(i))));
    }
}

TEST_F(DecideTest, LetsABlockedContactDoNothingWhateverItsPartnersType) {
  for (const TrafficKind kind : {kSubscribe, kSubscribed, kPresence, kProbe, kMessage, kChatState,
                                 kIqToUser, kSipSubscribe, kSipPresence, kSipMessage, kSipSignal}) {
    const Verdict verdict = On(About(kind, "federated.example", ContactState::kBlocked, true));
    EXPECT_FALSE(verdict.allowed()) << KindName(kind);
    EXPECT_EQ(verdict.reason, Reason::kContactBlocked) << KindName(kind);
  }
  for (const TrafficKind kind : {kUnsubscribe, kUnsubscribed, kError, kIqToDomain, kIqAnswer})
    EXPECT_TRUE(On(About(kind, "federated.example", ContactState::kBlocked)).allowed())
        << KindName(kind);
}

TEST_F(DecideTest, AsksAboutEveryContactOfADomainThatHasABlockedOne) {
  EXPECT_EQ(On(About(kMessage, "federated.example")).decision, Decision::kAllow);
  EXPECT_EQ(On(About(kSipSubscribe, "federated.example")).decision, Decision::kAllow);
  snapshot.add_blocked_domains("federated.example");
  EXPECT_EQ(On(About(kMessage, "federated.example")).decision, Decision::kAskEngine);
  EXPECT_EQ(On(About(kSipSubscribe, "federated.example")).decision, Decision::kAskEngine);
  EXPECT_EQ(On(About(kMessage, "more.federated.example")).decision, Decision::kAllow);
  EXPECT_EQ(On(About(kIqToDomain, "federated.example")).decision, Decision::kAllow);
}

TEST_F(DecideTest, LetsUsersWriteToUnlistedContactsWhereTheGatewaySaysSo) {
  const Envelope out = About(kSipMessage, "unverified.example", ContactState::kNotAuthorised);
  const Envelope back = About(kMessage, "unverified.example", ContactState::kNotAuthorised);
  EXPECT_EQ(On(out).decision, Decision::kDeny);
  snapshot.mutable_gateway()->set_unverified_outbound_im(true);
  EXPECT_EQ(On(out).decision, Decision::kAllow);
  EXPECT_EQ(On(About(kSipMessage, "unverified.example")).decision, Decision::kAllow)
      << "nothing to ask any more";
  EXPECT_EQ(On(back).decision, Decision::kDeny) << "the replies stay blocked";
}

TEST_F(DecideTest, BlamesTheContactsStateOnlyWhereItIsToBlame) {
  const auto reason = [this](TrafficKind kind, std::string_view remote, ContactState contact,
                             bool awaited) {
    return On(About(kind, remote, contact, awaited)).reason;
  };
  const auto kNotListed = ContactState::kNotAuthorised;
  EXPECT_EQ(reason(kMessage, "unverified.example", kNotListed, false),
            Reason::kContactNotAuthorised);
  EXPECT_EQ(reason(kProbe, "unverified.example", kNotListed, true), Reason::kContactNotAuthorised);
  EXPECT_EQ(reason(kProbe, "federated.example", kNotListed, false), Reason::kNotSubscribed);
  EXPECT_EQ(reason(kPresence, "federated.example", ContactState::kAuthorised, false),
            Reason::kNotAwaited);
  EXPECT_EQ(reason(kPresence, "federated.example", kNotListed, true),
            Reason::kContactNotAuthorised);
  EXPECT_EQ(reason(kGroupchat, "federated.example", ContactState::kAuthorised, false),
            Reason::kGroupChat);
}

TEST_F(DecideTest, AnswersWhateverItIsAsked) {
  Envelope nonsense = About(static_cast<TrafficKind>(200), "federated.example");
  EXPECT_EQ(On(nonsense).decision, Decision::kDrop);
  snapshot.mutable_partners(0)->set_type("nobody-made-it");
  EXPECT_EQ(On(About(kMessage, "federated.example", ContactState::kNotAuthorised)).decision,
            Decision::kDeny)
      << "a type nobody knows gets the least";
}

}  // namespace
}  // namespace gatehouse
