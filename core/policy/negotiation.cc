#include "core/policy/negotiation.h"

namespace gatehouse {
namespace {

using Level = NegotiationLevel;

// A value from a newer or broken store is read as the strictest one.
Level LevelOf(proto::Negotiation value) {
  switch (value) {
    case proto::OPTIONAL:
      return Level::kOptional;
    case proto::NOT_SUPPORTED:
      return Level::kNotSupported;
    default:
      return Level::kRequired;
  }
}

bool SaslIsMeant(const NegotiationRow& row) {
  return row.sasl != Level::kNotSupported;
}

bool BothRequired(const NegotiationRow& row) {
  return row.tls == Level::kRequired && row.sasl == Level::kRequired;
}

}  // namespace

bool MethodSet::Has(proto::AuthMethod method) const {
  switch (method) {
    case proto::SASL_TLS:
      return sasl_tls;
    case proto::TLS_DIALBACK:
      return tls_dialback;
    case proto::TCP_DIALBACK:
      return tcp_dialback;
    default:
      return false;
  }
}

NegotiationRow RowOf(const proto::Partner& partner) {
  return {LevelOf(partner.tls()), LevelOf(partner.sasl()), partner.dialback(),
          partner.strict_sasl(),  partner.bidi(),          partner.same_certificate()};
}

int RowNumber(const NegotiationRow& row) {
  return 6 * static_cast<int>(row.sasl) + 2 * static_cast<int>(row.tls) + (row.dialback ? 1 : 2);
}

MethodSet PermittedMethods(const NegotiationRow& row) {
  const bool strict = row.strict_sasl && row.sasl == Level::kRequired;
  const bool dialback = row.dialback && !strict;
  MethodSet methods;
  methods.sasl_tls = row.tls != Level::kNotSupported && SaslIsMeant(row);
  methods.tls_dialback = dialback && row.tls != Level::kNotSupported && !BothRequired(row);
  methods.tcp_dialback = dialback && row.tls != Level::kRequired;
  return methods;
}

std::vector<NegotiationNote> NotesOf(const NegotiationRow& row) {
  const MethodSet methods = PermittedMethods(row);
  if (methods.empty()) return {SaslIsMeant(row) ? NegotiationNote::kE1 : NegotiationNote::kE2};
  std::vector<NegotiationNote> notes;
  if (row.dialback && BothRequired(row)) notes.push_back(NegotiationNote::kW1);
  if (row.tls == Level::kOptional && SaslIsMeant(row)) notes.push_back(NegotiationNote::kW2);
  if (row.tls == Level::kNotSupported && SaslIsMeant(row)) notes.push_back(NegotiationNote::kW3);
  if (methods.tcp_dialback) notes.push_back(NegotiationNote::kW4);
  if (row.sasl == Level::kRequired && methods.sasl_tls && methods.tls_dialback)
    notes.push_back(NegotiationNote::kW5);
  return notes;
}

std::string_view NoteCode(NegotiationNote note) {
  switch (note) {
    case NegotiationNote::kW1:
      return "W1";
    case NegotiationNote::kW2:
      return "W2";
    case NegotiationNote::kW3:
      return "W3";
    case NegotiationNote::kW4:
      return "W4";
    case NegotiationNote::kW5:
      return "W5";
    case NegotiationNote::kE1:
      return "E1";
    case NegotiationNote::kE2:
      return "E2";
  }
  return "";
}

std::string_view NoteText(NegotiationNote note) {
  switch (note) {
    case NegotiationNote::kW1:
      return "dialback is enabled but will never run, because TLS and SASL are both required";
    case NegotiationNote::kW2:
      return "SASL needs TLS; leaving TLS optional can make negotiation fail";
    case NegotiationNote::kW3:
      return "the SASL setting has no effect without TLS; only TCP dialback is left";
    case NegotiationNote::kW4:
      return "unencrypted TCP dialback is possible: weak identity check, no confidentiality";
    case NegotiationNote::kW5:
      return "SASL is called required but dialback can replace it";
    case NegotiationNote::kE1:
      return "SASL cannot work without TLS and dialback is off: no method is left";
    case NegotiationNote::kE2:
      return "SASL or dialback must be enabled";
  }
  return "";
}

bool IsRefusal(NegotiationNote note) {
  return note == NegotiationNote::kE1 || note == NegotiationNote::kE2;
}

std::string_view MethodName(proto::AuthMethod method) {
  switch (method) {
    case proto::SASL_TLS:
      return "sasl_tls";
    case proto::TLS_DIALBACK:
      return "tls_dialback";
    case proto::TCP_DIALBACK:
      return "tcp_dialback";
    default:
      return "none";
  }
}

}  // namespace gatehouse
