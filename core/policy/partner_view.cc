#include "core/policy/partner_view.h"

#include <fmt/format.h>

#include "core/policy/negotiation.h"

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
  return view;
}

}  // namespace gatehouse
