#include "plugins/policy_engine/certificate_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <vector>

namespace gatehouse::policy_engine {
namespace {

// What the certificate shall have.
void AddRequested(const std::string& request, proto::CertificateView& view) {
  const auto asked = FactsOfRequest(request);
  if (!asked) return;
  view.set_key_type(asked->key_type);
  view.set_subject(asked->subject);
  for (const std::string& name : asked->names) view.add_names(name);
}

}  // namespace

proto::CertificateView CertificateViewOf(const HeldCertificate& held) {
  proto::CertificateView view;
  view.set_name(held.row.name);
  view.set_friendly_name(held.row.friendly_name);
  view.set_issued(!held.row.chain.empty());
  view.set_request_pending(!held.row.request.empty());
  view.set_exportable(held.row.chain.empty() ? held.row.pending_exportable : held.row.exportable);
  view.set_source(held.row.source);
  if (!view.issued() && view.request_pending()) AddRequested(held.row.request, view);
  if (held.chain.links.empty()) return view;
  const CertificateFacts& leaf = held.chain.links.front();
  view.set_key_type(leaf.key_type);
  view.set_subject(leaf.subject);
  for (const std::string& name : leaf.names) view.add_names(name);
  view.set_serial(leaf.serial);
  view.set_sha256(leaf.sha256);
  std::int64_t begins = leaf.not_before;
  for (const CertificateFacts& link : held.chain.links) {
    begins = std::max(begins, link.not_before);
    proto::CertificateLink& told = *view.add_chain();
    told.set_subject(link.subject);
    told.set_issuer(link.issuer);
    told.set_not_before_unix(link.not_before);
    told.set_not_after_unix(link.not_after);
  }
  view.set_not_before_unix(begins);
  view.set_not_after_unix(held.not_after());
  return view;
}

std::string CertificateAuditText(const HeldCertificate& held) {
  proto::CertificateView view = CertificateViewOf(held);
  view.clear_name();
  view.clear_chain();
  view.clear_not_before_unix();
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  // Fails for wrong UTF-8 only, which a certificate of others may have.
  if (google::protobuf::util::MessageToJsonString(view, &text, options).ok()) return text;
  return fmt::format(R"({{"sha256":"{}"}})", view.sha256());
}

std::string SlotsAuditText(std::span<const Slot> slots,
                           const std::map<Slot, std::string>& assigned) {
  std::vector<std::string> words;
  for (const Slot slot : slots)
    if (const auto found = assigned.find(slot); found != assigned.end())
      words.push_back(fmt::format(R"("{}":"{}")", SlotWord(slot), found->second));
  return words.empty() ? std::string() : fmt::format("{{{}}}", fmt::join(words, ","));
}

}  // namespace gatehouse::policy_engine
