#include "core/selftest/matrix_rule.h"

#include <array>
#include <string>

namespace gatehouse::selftest {
namespace {

// 4.2, by number.
// clang-format off
constexpr std::array<RuleRow, kRuleRows> kRules = {{
    {'R', 'R', true,  "A",   ""},    //  1
    {'R', 'R', false, "A",   ""},    //  2
    {'O', 'R', true,  "ABC", ""},    //  3
    {'O', 'R', false, "A",   ""},    //  4
    {'N', 'R', true,  "C",   ""},    //  5
    {'N', 'R', false, "",    "E1"},  //  6
    {'R', 'O', true,  "AB",  ""},    //  7
    {'R', 'O', false, "A",   ""},    //  8
    {'O', 'O', true,  "ABC", ""},    //  9
    {'O', 'O', false, "A",   ""},    // 10
    {'N', 'O', true,  "C",   ""},    // 11
    {'N', 'O', false, "",    "E1"},  // 12
    {'R', 'N', true,  "B",   ""},    // 13
    {'R', 'N', false, "",    "E2"},  // 14
    {'O', 'N', true,  "BC",  ""},    // 15
    {'O', 'N', false, "",    "E2"},  // 16
    {'N', 'N', true,  "C",   ""},    // 17
    {'N', 'N', false, "",    "E2"},  // 18
}};

// What becomes of a key, by the columns "db:result" of 4.5.
enum class KeyRule : std::uint8_t {
  kPolicyViolation,  // "error policy-violation"
  kSwitchedOff,      // 2.8.8: error not-authorized, nobody is asked
  kVerify,           // "accept", "verify"
  kShortcut,         // "cert ok: shortcut; not ok: verify"
  kOnlyAfterSasl,    // "before EXTERNAL: error not-authorized"
};
// One line of 4.5. `clear`, `tls_ok`, `tls_bad`: what is advertised; "-": nothing, and the stream
// ends with not-authorized; "tls!" is <required/>.
struct InboundRule {
  std::string_view clear;
  KeyRule clear_key;
  bool starttls;  // proceed; else failure and close
  std::string_view tls_ok;
  std::string_view tls_bad;
  KeyRule tls_key;
};
constexpr InboundRule kRow1 = {"tls!", KeyRule::kPolicyViolation, true, "EXT", "-", KeyRule::kOnlyAfterSasl};
constexpr InboundRule kRows2And8 = {"tls!", KeyRule::kSwitchedOff, true, "EXT", "-", KeyRule::kSwitchedOff};
constexpr InboundRule kRows4And10 = {"tls!", KeyRule::kSwitchedOff, true, "EXT", "-", KeyRule::kSwitchedOff};
constexpr InboundRule kRow3 = {"tls db", KeyRule::kVerify, true, "EXT", "db", KeyRule::kShortcut};
constexpr InboundRule kRow9 = {"tls db", KeyRule::kVerify, true, "EXT db", "db", KeyRule::kShortcut};
constexpr InboundRule kRow7 = {"tls!", KeyRule::kPolicyViolation, true, "EXT db", "db", KeyRule::kShortcut};
constexpr InboundRule kRow13 = {"tls!", KeyRule::kPolicyViolation, true, "db", "db", KeyRule::kVerify};
constexpr InboundRule kRow15 = {"tls db", KeyRule::kVerify, true, "db", "db", KeyRule::kVerify};
constexpr InboundRule kRows5And11And17 = {"db", KeyRule::kVerify, false, "", "", KeyRule::kVerify};
// clang-format on

const InboundRule& InboundRuleOf(int row) {
  switch (row) {
    case 1:
      return kRow1;
    case 2:
    case 8:
      return kRows2And8;
    case 3:
      return kRow3;
    case 4:
    case 10:
      return kRows4And10;
    case 7:
      return kRow7;
    case 9:
      return kRow9;
    case 13:
      return kRow13;
    case 15:
      return kRow15;
    default:
      return kRows5And11And17;
  }
}

constexpr std::string_view kRefused = "refused: ";

class Trail {
 public:
  void Add(std::string_view word) {
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  [[nodiscard]] CellOutcome Open(std::string_view method) const {
    return {std::string(method), text_};
  }
  [[nodiscard]] CellOutcome Refused(std::string_view why) const {
    return {std::string(kRefused) + std::string(why), text_};
  }

 private:
  std::string text_;
};

std::string Offered(std::string_view features) {
  return '[' + std::string(features) + ']';
}

// The partner has nothing left to try; a stanza all the same ends the stream (2.1).
CellOutcome RefusedAtStanza(Trail& trail, std::string_view why) {
  trail.Add("error:not-authorized");
  return trail.Refused(why);
}

// The authoritative server is asked, over TLS just when this stream has it: the partner's server
// behaves as its client does, and the row forbids both or neither (4.6, last line).
CellOutcome Verified(Trail& trail, Dialback dialback, bool tls) {
  trail.Add(tls ? "verify:tls" : "verify:clear");
  if (dialback == Dialback::kRight) {
    trail.Add("db:valid");
    return trail.Open(tls ? "tls_dialback" : "tcp_dialback");
  }
  trail.Add("db:invalid");
  trail.Add("closed");
  return trail.Refused("key invalid");
}

CellOutcome KeySent(Trail& trail, KeyRule rule, const Behaviour& partner, bool tls) {
  switch (rule) {
    case KeyRule::kPolicyViolation:
      trail.Add("db:policy-violation");
      return RefusedAtStanza(trail, "policy-violation");
    case KeyRule::kSwitchedOff:
    case KeyRule::kOnlyAfterSasl:
      trail.Add("db:not-authorized");
      return RefusedAtStanza(trail, "not-authorized");
    case KeyRule::kShortcut:
      if (partner.certificate != Certificate::kValid) break;
      trail.Add("db:valid");
      return trail.Open("certificate");
    case KeyRule::kVerify:
      break;
  }
  return Verified(trail, partner.dialback, tls);
}

CellOutcome ExpectedIn(const MatrixCell& cell) {
  const Behaviour& partner = cell.partner;
  const InboundRule& rule = InboundRuleOf(cell.row);
  Trail trail;
  trail.Add(Offered(rule.clear));
  const bool tls = partner.starttls == StartTls::kRequires ||
                   (partner.starttls == StartTls::kOffers && rule.starttls);
  if (tls && !rule.starttls) {
    trail.Add("tls-failure");
    trail.Add("closed");
    return trail.Refused("no TLS");
  }
  std::string_view offered;
  if (tls) {
    trail.Add("proceed");
    offered = partner.certificate == Certificate::kValid ? rule.tls_ok : rule.tls_bad;
    if (offered == "-") return RefusedAtStanza(trail, "certificate");
    trail.Add(Offered(offered));
  }
  if (partner.external) {
    if (offered.starts_with("EXT")) {
      trail.Add("success");
      return trail.Open("sasl_tls");
    }
    // 2.6: the stream stays; each row that comes here has another method.
    trail.Add(tls ? "sasl:not-authorized" : "sasl:encryption-required");
  }
  if (partner.dialback == Dialback::kAbsent) return RefusedAtStanza(trail, "no method");
  return KeySent(trail, tls ? rule.tls_key : rule.clear_key, partner, tls);
}

// The SIP answers of 3.9 and 3.6.
constexpr std::string_view kTlsFailed = "TLS (408)";
constexpr std::string_view kNoMethod = "no method (480)";
constexpr std::string_view kKeyInvalid = "key invalid (500)";
constexpr std::string_view kPeerRefused = "partner refused (408)";

// 3.6; in clear a partner is asked whether it declares dialback or not (3.4).
CellOutcome DialbackOut(Trail& trail, const Behaviour& partner, bool tls) {
  trail.Add(tls ? "key:tls" : "key:clear");
  const bool wants_tls = !tls && partner.starttls == StartTls::kRequires;
  if (partner.dialback == Dialback::kAbsent || wants_tls) return trail.Refused(kPeerRefused);
  if (partner.dialback == Dialback::kWrong) return trail.Refused(kKeyInvalid);
  return trail.Open(tls ? "tls_dialback" : "tcp_dialback");
}

// 4.6.
CellOutcome ExpectedOut(const MatrixCell& cell) {
  const Behaviour& partner = cell.partner;
  const RuleRow& row = RuleOf(cell.row);
  const auto permits = [&row](char method) {
    return row.permitted.find(method) != std::string_view::npos;
  };
  Trail trail;
  const bool offered = partner.starttls != StartTls::kOmits;
  // "must", "try always" where A is all there is: also where it is not offered (RFC 7590 §3.1).
  const bool asks = row.tls != 'N' && (offered || !permits('C'));
  if (!asks) return DialbackOut(trail, partner, false);
  trail.Add("starttls");
  if (!offered) return trail.Refused(kTlsFailed);
  if (partner.certificate == Certificate::kNone) {
    trail.Add("handshake-failed");
    return trail.Refused(kTlsFailed);
  }
  trail.Add("tls");
  if (permits('A') && partner.external && partner.certificate == Certificate::kValid) {
    trail.Add("auth");
    return trail.Open("sasl_tls");
  }
  if (permits('B') && partner.dialback != Dialback::kAbsent)
    return DialbackOut(trail, partner, true);
  return trail.Refused(kNoMethod);
}

}  // namespace

const RuleRow& RuleOf(int row) {
  return kRules.at(static_cast<std::size_t>(row - 1));
}

std::vector<int> ValidRows() {
  std::vector<int> rows;
  for (int row = 1; row <= kRuleRows; ++row)
    if (!RuleOf(row).permitted.empty()) rows.push_back(row);
  return rows;
}

CellOutcome ExpectedOutcome(const MatrixCell& cell) {
  return cell.way == Way::kIn ? ExpectedIn(cell) : ExpectedOut(cell);
}

}  // namespace gatehouse::selftest
