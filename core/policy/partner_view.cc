#include "core/policy/partner_view.h"

#include <fmt/format.h>

#include "core/policy/negotiation.h"
#include "core/xmpp/row_explanation.h"

namespace gatehouse {

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
  return view;
}

}  // namespace gatehouse
