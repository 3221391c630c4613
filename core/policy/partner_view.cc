#include "core/policy/partner_view.h"

#include <fmt/format.h>

#include "core/policy/negotiation.h"
#include "core/xmpp/row_explanation.h"

namespace gatehouse {

namespace {

// What TLSA records do to a stream of ours (3.5); empty: nothing.
std::string_view DaneSentence(const proto::Partner& partner) {
  if (partner.dane() == proto::OFF || partner.tls() == proto::NOT_SUPPORTED) return {};
  if (!partner.proxy().empty()) return {};  // no SRV record, no DANE
  if (partner.dane() == proto::ENFORCE)
    return "where our resolver validates (dns.dnssec) and its signed zone has TLSA records: TLS, "
           "and a certificate that matches one, which proves the domain by itself; a lookup that "
           "fails rules the target out";
  return "where our resolver validates (dns.dnssec) and its signed zone has TLSA records: whether "
         "the certificate matches is reported, and decides nothing";
}

}  // namespace

proto::PartnerView ViewOf(const proto::Partner& partner) {
  proto::PartnerView view;
  *view.mutable_partner() = partner;
  const NegotiationRow row = RowOf(partner);
  const MethodSet methods = PermittedMethods(row);
  for (const auto method : {proto::SASL_TLS, proto::TLS_DIALBACK, proto::TCP_DIALBACK})
    if (methods.Has(method)) view.add_methods(std::string(MethodName(method)));
  for (const NegotiationNote note : NotesOf(row))
    view.add_warnings(fmt::format("{}: {}", NoteCode(note), NoteText(note)));
  view.set_row(static_cast<std::uint32_t>(RowNumber(row)));
  for (std::string& line : ExplainInbound(row)) view.add_inbound(std::move(line));
  for (std::string& line : ExplainOutbound(row)) view.add_outbound(std::move(line));
  const std::string_view dane = DaneSentence(partner);
  if (!methods.empty() && !dane.empty()) view.add_outbound(std::string(dane));
  return view;
}

}  // namespace gatehouse
