#include "core/policy/record_kinds.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "core/base/result.h"
#include "core/policy/partner_words.h"

namespace gatehouse {
namespace {

using google::protobuf::FieldDescriptor;

constexpr std::array<std::string_view, 3> kPartnerKept = {"id", "revision", "tls_seen_unix"};

std::vector<google::protobuf::RepeatedPtrField<std::string>*> GrantsOf(proto::Record& record) {
  proto::AccessPolicy& policy = *record.mutable_policy();
  return {policy.mutable_users(), policy.mutable_patterns(), policy.mutable_domains()};
}

// clang-format off
constexpr std::array kKinds = {
    RecordKind{proto::Record::kGateway, "", {},
               [](proto::Record& record) { *record.mutable_gateway() = DefaultGatewaySettings(); },
               nullptr},
    RecordKind{proto::Record::kPartnerType, "name", {},
               [](proto::Record& record) { record.mutable_partner_type(); }, nullptr},
    RecordKind{proto::Record::kPartner, "domain", kPartnerKept,
               [](proto::Record& record) { *record.mutable_partner() = DefaultPartner(); },
               nullptr},
    RecordKind{proto::Record::kPolicy, "name", {},
               [](proto::Record& record) { record.mutable_policy(); }, GrantsOf},
    RecordKind{proto::Record::kDeniedDomain, "domain", {},
               [](proto::Record& record) { record.mutable_denied_domain(); }, nullptr},
};
// clang-format on

const FieldDescriptor* BodyField(const proto::Record& record) {
  return record.GetReflection()->GetOneofFieldDescriptor(
      record, proto::Record::descriptor()->oneof_decl(0));
}

}  // namespace

std::span<const RecordKind> RecordKinds() {
  return kKinds;
}

const RecordKind* FindKind(const proto::Record& record) {
  const auto found =
      std::ranges::find(kKinds, static_cast<int>(record.body_case()), &RecordKind::number);
  return found == kKinds.end() ? nullptr : &*found;
}

std::string_view KindWord(const proto::Record& record) {
  const FieldDescriptor* const field = BodyField(record);
  return field == nullptr ? std::string_view() : field->name();
}

std::string KeyOf(const proto::Record& record) {
  const RecordKind* const kind = FindKind(record);
  if (kind == nullptr || kind->key.empty()) return {};
  const google::protobuf::Message& body = BodyOf(record);
  return body.GetReflection()->GetString(
      body, body.GetDescriptor()->FindFieldByName(std::string(kind->key)));
}

const google::protobuf::Message& BodyOf(const proto::Record& record) {
  const FieldDescriptor* const field = BodyField(record);
  GATEHOUSE_CHECK(field != nullptr);
  return record.GetReflection()->GetMessage(record, field);
}

google::protobuf::Message& BodyOf(proto::Record& record) {
  const FieldDescriptor* const field = BodyField(record);
  GATEHOUSE_CHECK(field != nullptr);
  return *record.GetReflection()->MutableMessage(&record, field);
}

bool IsKept(const RecordKind& kind, const FieldDescriptor& field) {
  return std::ranges::find(kind.kept, field.name()) != kind.kept.end();
}

}  // namespace gatehouse
