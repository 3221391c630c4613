// The TLS x SASL x dialback matrix: which methods a partner's settings permit, and what to tell the
// operator about them. Pure. Source: chapter 4 of the protocol page.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/policy_snapshot.pb.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

enum class NegotiationLevel : std::uint8_t { kRequired, kOptional, kNotSupported };

struct NegotiationRow {
  NegotiationLevel tls = NegotiationLevel::kRequired;
  NegotiationLevel sasl = NegotiationLevel::kRequired;
  bool dialback = true;
  bool strict_sasl = false;  // dialback does not stand in for SASL where that is required (4.3)
  bool bidi = false;         // stanzas of both ends on one stream (2.14)
  // The peer and its authoritative server show the same one: no key is verified (2.8.6).
  bool same_certificate = false;
  bool operator==(const NegotiationRow&) const = default;
};
// The methods of 4.2, in order of preference when all are set.
struct MethodSet {
  bool sasl_tls = false;      // A
  bool tls_dialback = false;  // B
  bool tcp_dialback = false;  // C
  [[nodiscard]] bool empty() const { return !sasl_tls && !tls_dialback && !tcp_dialback; }
  [[nodiscard]] bool Has(proto::AuthMethod method) const;
  bool operator==(const MethodSet&) const = default;
};
enum class NegotiationNote : std::uint8_t { kW1, kW2, kW3, kW4, kW5, kE1, kE2 };

// A value outside the enum (a store of a newer version) is read as "required".
[[nodiscard]] NegotiationRow RowOf(const proto::Partner& partner);
[[nodiscard]] int RowNumber(const NegotiationRow& row);  // 1..18, as in 4.2
// By the rule below the table of 4.2; empty for the five rows that are refused, and for row 5 where
// `strict_sasl` is on.
[[nodiscard]] MethodSet PermittedMethods(const NegotiationRow& row);
// Warnings in ascending order, or exactly one refusal when no method is left.
[[nodiscard]] std::vector<NegotiationNote> NotesOf(const NegotiationRow& row);
[[nodiscard]] std::string_view NoteCode(NegotiationNote note);  // "W1"
[[nodiscard]] std::string_view NoteText(NegotiationNote note);  // the sentence of 4.2
[[nodiscard]] bool IsRefusal(NegotiationNote note);             // E1, E2
[[nodiscard]] std::string_view MethodName(
    proto::AuthMethod method);  // "sasl_tls"; "none" for anything else

}  // namespace gatehouse
