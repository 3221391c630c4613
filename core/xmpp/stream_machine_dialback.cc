// Dialback on an inbound stream: receiving role 2.8.3, authoritative role 2.8.4.
#include <algorithm>

#include "core/base/limits.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/stream_machine.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxKeyBytes = 256;         // 2.8.1
constexpr std::size_t kMaxDialbackIdBytes = 256;  // 2.8.4
constexpr int kMaxVerifyRequests = 50;            // 2.8.4

std::string KeyOf(const proto::Element& element) {
  std::string text = TextOf(element);
  constexpr std::string_view kWhitespace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kWhitespace);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhitespace) - begin + 1);
}

bool IsUsableKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKeyBytes &&
         std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7F; });
}

// NMTOKEN; a character beyond ASCII is taken for a name character.
bool IsDialbackId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxDialbackIdBytes && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
  });
}

proto::Element MakeDialback(std::string_view name, std::string_view from, std::string_view to,
                            std::string_view type) {
  proto::Element element = MakeElement(name, ns::kDialback);
  SetAttribute(element, "from", from);
  SetAttribute(element, "to", to);
  SetAttribute(element, "type", type);
  return element;
}

void AddError(proto::Element& element, proto::StanzaCondition condition,
              std::string_view condition_name) {
  proto::Element& error = AddChild(element, "error", ns::kServer);
  SetAttribute(error, "type", DefaultErrorType(condition));
  AddChild(error, condition_name, ns::kStanzaErrors);
}

}  // namespace

proto::AuthMethod StreamMachine::DialbackMethod() const {
  return certificate_ != nullptr ? proto::TLS_DIALBACK : proto::TCP_DIALBACK;
}

StreamMachine::Pair* StreamMachine::FindPair(std::string_view from, std::string_view to) {
  for (Pair& pair : pairs_)
    if (pair.from == from && pair.to == to) return &pair;
  return nullptr;
}

void StreamMachine::AddPair(std::string from, std::string to, proto::AuthMethod method) {
  pairs_.push_back({std::move(from), std::move(to), method, next_ask_++});
}

void StreamMachine::ForgetPair(const std::string& from, const std::string& to) {
  std::erase_if(pairs_, [&](const Pair& pair) { return pair.from == from && pair.to == to; });
  last_pair_ = 0;
}

void StreamMachine::Verified(Pair& pair, proto::AuthMethod method) {
  const bool first = !has_verified_pair();
  pair.method = method;
  const proto::Partner* partner = rules_.FindPartner(pair.from);
  if (partner != nullptr && partner_id_.empty()) partner_id_ = partner->id();
  const bool takes_ours = TakesOurs(pair) && partner != nullptr && RowOf(*partner).bidi;
  Do(PairVerified{pair.from, pair.to, method, first, takes_ours});
}

void StreamMachine::SendResult(const Pair& pair, std::string_view type) {
  Send(XmlOf(MakeDialback("result", pair.to, pair.from, type)));
  Do(DialbackAnswered{type});
}

void StreamMachine::SendResultError(const std::string& from, const std::string& to,
                                    proto::StanzaCondition condition, std::string_view name,
                                    Reason reason, std::string detail) {
  NotedRefusal noted = Note(reason, name, std::move(detail), from, to);
  proto::Element result = MakeDialback("result", to, from, "error");
  AddError(result, condition, name);
  Send(XmlOf(result));
  Do(DialbackAnswered{name, reason, noted.is_new ? std::move(noted.id) : std::string()});
}

void StreamMachine::SendResultError(const std::string& from, const std::string& to,
                                    proto::StanzaCondition condition, Reason reason,
                                    std::string detail) {
  SendResultError(from, to, condition, ConditionName(condition), reason, std::move(detail));
}

// The key is not looked at; the peer is told once, so that it does not wait for a timeout, unless
// the operator wants silence (2.8.8).
void StreamMachine::AnswerSwitchedOff(const std::string& from, const std::string& to) {
  const bool first = !std::exchange(told_switched_off_, true);
  constexpr std::string_view kWhat = "dialback is switched off";
  if (rules_.policy->gateway().dialback_disabled_reply() == proto::SILENT) {
    if (first) Note(Reason::kMethodNotPermitted, {}, std::string(kWhat), from, to);
  } else if (first) {
    SendResultError(from, to, proto::NOT_AUTHORIZED, Reason::kMethodNotPermitted,
                    std::string(kWhat));
  }
}

// Nos. 1 to 7 of 2.8.3. Answers where one fails.
bool StreamMachine::PassesDialbackChecks(const std::string& from, const std::string& to) {
  const auto refuse = [&](proto::StanzaCondition condition, Reason reason,
                          std::string detail = {}) {
    SendResultError(from, to, condition, reason, std::move(detail));
    return false;
  };
  const auto by_row = [&](const NegotiationRow& row) {
    switch (AnswerToKey(phase(), row, CertificateProves(from))) {
      case DialbackAnswer::kVerify:
      case DialbackAnswer::kAccept:
        return true;
      case DialbackAnswer::kNeedsTls:
        return refuse(proto::POLICY_VIOLATION, Reason::kMethodNotPermitted, "dialback without TLS");
      case DialbackAnswer::kNeedsCertificate:
        return refuse(proto::NOT_AUTHORIZED, ReasonNotProven(from), WhyNotProven(from));
      case DialbackAnswer::kSwitchedOff:
        AnswerSwitchedOff(from, to);
        return false;
    }
    return false;
  };
  if (header_.from.empty() && phase() == StreamPhase::kClear)
    return refuse(proto::POLICY_VIOLATION, Reason::kMethodNotPermitted,
                  "dialback without TLS, and a header that names no domain");  // the strictest row
                                                                               // wants TLS (2.2)
  if (const auto row = HeaderRow(); row && !by_row(*row)) return false;
  if (!rules_.Serves(to)) return refuse(proto::ITEM_NOT_FOUND, Reason::kNotOurDomain);
  const proto::Partner* partner = rules_.FindPartner(from);
  if (partner == nullptr) return refuse(proto::NOT_ALLOWED, rules_.policy->WhyNoPartner(from));
  if (from != header_.from && !by_row(RowOf(*partner))) return false;
  const Pair* known = FindPair(from, to);
  if (known == nullptr && pairs_.size() >= kMaxPairsPerStream)
    return refuse(proto::RESOURCE_CONSTRAINT, Reason::kStreamLimit);
  if (!has_verified_pair() && rules_.partner_has_room && !rules_.partner_has_room(*partner))
    return refuse(proto::RESOURCE_CONSTRAINT, Reason::kPartnerConnectionLimit);
  if (known != nullptr && known->verified()) {
    SendResult(*known, "valid");
    return false;
  }
  return known == nullptr || refuse(proto::UNEXPECTED_REQUEST, Reason::kProtocolError);
}

void StreamMachine::TakeDialbackResult(const proto::Element& element) {
  if (HasAttribute(element, "type")) return End(StreamCondition::kPolicyViolation);  // 2.8.9
  auto from = PrepareDomain(Attribute(element, "from"));
  auto to = PrepareDomain(Attribute(element, "to"));
  if (!from || !to) return End(StreamCondition::kImproperAddressing);
  if (!PassesDialbackChecks(*from, *to)) return;
  const NegotiationRow row = RowOf(*rules_.FindPartner(*from));
  const bool accept =
      AnswerToKey(phase(), row, CertificateProves(*from)) == DialbackAnswer::kAccept;
  if (accept && !Step(StreamEvent::kDomainProven)) return;
  if (accept) {
    AddPair(*std::move(from), *std::move(to), proto::AUTH_METHOD_NONE);
    SendResult(pairs_.back(), "valid");
    return Verified(pairs_.back(), proto::SASL_TLS);  // by the certificate, as EXTERNAL would have
  }
  std::string key = KeyOf(element);
  if (!IsUsableKey(key)) return InvalidKey(*from, *to, "it is no key at all");
  AddPair(*std::move(from), *std::move(to), proto::AUTH_METHOD_NONE);
  const Pair& pair = pairs_.back();
  std::string peer = MayMeetItsCertificate(pair.from, row) ? certificate_->sha256 : std::string();
  Do(AskProof{pair.proof_id, pair.from, pair.to, stream_id_, std::move(key), std::move(peer)});
}

bool StreamMachine::MayMeetItsCertificate(const std::string& domain,
                                          const NegotiationRow& row) const {
  if (!row.same_certificate || certificate_ == nullptr || !certificate_->presented) return false;
  return !certificate_->chain_valid && PermittedMethods(row).tls_dialback &&
         MatchesXmppDomain(*certificate_, domain);
}

void StreamMachine::InvalidKey(const std::string& from, const std::string& to, std::string detail) {
  ForgetPair(from, to);
  if (has_verified_pair())
    return SendResultError(from, to, proto::FORBIDDEN, Reason::kDialbackFailed, std::move(detail));
  NotedRefusal noted = Note(Reason::kDialbackFailed, "invalid", std::move(detail), from, to);
  SendResult({from, to}, "invalid");
  EndOrderly("dialback-invalid", Reason::kDialbackFailed, std::move(noted.id));
}

StreamMachine::Actions StreamMachine::OnProof(std::uint64_t id, proto::DialbackVerdict verdict) {
  Begin();
  if (state_ == StreamState::kClosed) return actions_;
  const auto pair = std::ranges::find_if(
      pairs_, [&](const Pair& p) { return p.proof_id == id && !p.verified(); });
  if (pair == pairs_.end()) return actions_;
  if (verdict == proto::DIALBACK_VALID) {
    if (!KeepsTo(*pair, DialbackMethod()) || !Step(StreamEvent::kDomainProven)) return actions_;
    SendResult(*pair, "valid");
    Verified(*pair, DialbackMethod());
    return actions_;
  }
  const std::string from = pair->from;
  const std::string to = pair->to;
  if (verdict == proto::DIALBACK_INVALID) {
    InvalidKey(from, to);
    return actions_;
  }
  ForgetPair(from, to);
  if (verdict == proto::DIALBACK_NOT_FOUND) {
    SendResultError(from, to, proto::REMOTE_SERVER_NOT_FOUND, Reason::kDialbackUnanswered,
                    "the server does not know the domain, or there is none");
  } else if (verdict == proto::DIALBACK_CONNECTION_FAILED) {
    // A stream condition that XEP-0220 §2.5 prints among the stanza conditions.
    SendResultError(from, to, proto::REMOTE_SERVER_NOT_FOUND, "remote-connection-failed",
                    Reason::kDialbackUnanswered, "no connection");
  } else {
    SendResultError(from, to, proto::REMOTE_SERVER_TIMEOUT, Reason::kDialbackUnanswered);
  }
  return actions_;
}

// --- authoritative role

void StreamMachine::TakeDialbackVerify(const proto::Element& element) {
  if (HasAttribute(element, "type")) return End(StreamCondition::kPolicyViolation);  // 2.8.9
  auto from = PrepareDomain(Attribute(element, "from"));
  auto to = PrepareDomain(Attribute(element, "to"));
  if (!from || !to) return End(StreamCondition::kImproperAddressing);
  if (++verify_requests_ > kMaxVerifyRequests) return End(StreamCondition::kPolicyViolation);
  const std::string id(Attribute(element, "id"));
  if (!rules_.Serves(*to)) {
    Note(Reason::kNotOurDomain, "item-not-found", "a dialback key of it is asked about", *from,
         *to);
    proto::Element verify = MakeDialback("verify", *to, *from, "error");
    SetAttribute(verify, "id", id);
    AddError(verify, proto::ITEM_NOT_FOUND, "item-not-found");
    return Send(XmlOf(verify));
  }
  std::string key = KeyOf(element);
  if (!IsDialbackId(id) || !IsUsableKey(key)) {
    proto::Element verify = MakeDialback("verify", *to, *from, "invalid");
    SetAttribute(verify, "id", id);
    return Send(XmlOf(verify));
  }
  judgements_.push_back({next_ask_++, *from, *to, id});
  const Judgement& asked = judgements_.back();
  const int weight = rules_.FindPartner(*from) == nullptr ? 2 : 1;
  Do(AskJudgement{asked.id, asked.from, asked.to, id, std::move(key), weight});
}

StreamMachine::Actions StreamMachine::OnJudged(std::uint64_t id, proto::DialbackVerdict verdict) {
  Begin();
  const auto asked =
      std::ranges::find_if(judgements_, [&](const Judgement& j) { return j.id == id; });
  if (state_ == StreamState::kClosed || asked == judgements_.end()) return actions_;
  const bool answered = verdict == proto::DIALBACK_VALID || verdict == proto::DIALBACK_INVALID;
  const std::string_view type =
      !answered ? "error" : (verdict == proto::DIALBACK_VALID ? "valid" : "invalid");
  proto::Element verify = MakeDialback("verify", asked->to, asked->from, type);
  SetAttribute(verify, "id", asked->stream_id);
  if (!answered) AddError(verify, proto::INTERNAL_SERVER_ERROR, "internal-server-error");
  judgements_.erase(asked);
  Send(XmlOf(verify));
  return actions_;
}

}  // namespace gatehouse
