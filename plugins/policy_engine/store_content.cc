#include "plugins/policy_engine/store_content.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "core/policy/partner_type.h"
#include "core/tls/crypto.h"
#include "plugins/policy_engine/record_rows.h"

namespace gatehouse::policy_engine {

Result<std::vector<std::string>> ReadBlockedDomains(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT domain FROM contact_domain WHERE id IN"
                                 " (SELECT domain_id FROM contact WHERE mark = 2)"
                                 " ORDER BY domain"));
  std::vector<std::string> domains;
  for (;;) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return domains;
    domains.push_back(select.Text(0));
  }
}

namespace {

// Without one of the blocked domains nobody would be looked for in it.
std::string SealOver(std::string data, const StoreContent& content) {
  for (const std::string& domain : content.blocked_domains) data += '\n' + domain;
  return Hex(Sha256(data));
}

std::string SealOf(const StoreContent& content) {
  return SealOver(content.data.SerializeAsString(), content);
}

// The record as it was serialised while its type was an enum in field 4.
std::string WithNumberedType(const proto::Partner& partner) {
  proto::Partner head;
  head.set_id(partner.id());
  head.set_domain(partner.domain());
  *head.mutable_additional_domains() = partner.additional_domains();
  proto::Partner tail = partner;
  tail.clear_id();
  tail.clear_domain();
  tail.clear_additional_domains();
  tail.clear_type();
  std::string bytes = head.SerializeAsString();
  if (partner.type() == kPublicVerified) bytes += "\x20\x01";
  if (partner.type() == kFederated) bytes += "\x20\x02";
  return bytes + tail.SerializeAsString();
}

// Up to schema version 14.
std::string SealOfNumberedTypes(const StoreContent& content) {
  proto::FederationData gateway;
  *gateway.mutable_gateway() = content.data.gateway();
  proto::FederationData rest = content.data;
  rest.clear_gateway();
  rest.clear_partners();
  std::string bytes = gateway.SerializeAsString();
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    for (const proto::Partner& partner : content.data.partners()) {
      const std::string record = WithNumberedType(partner);
      out.WriteTag(proto::FederationData::kPartnersFieldNumber << 3 | 2);
      out.WriteVarint32(static_cast<std::uint32_t>(record.size()));
      out.WriteString(record);
    }
  }
  return SealOver(bytes + rest.SerializeAsString(), content);
}

Result<StoreContent> ReadContent(SqliteDatabase& database) {
  StoreContent content;
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT revision, contacts_epoch FROM store_state"));
  GATEHOUSE_TRY(const bool row, select.Step());
  if (!row) return Trouble("the store has no revision");
  content.revision = static_cast<std::uint64_t>(select.Integer(0));
  content.contacts_epoch = static_cast<std::uint64_t>(select.Integer(1));
  GATEHOUSE_TRY(content.data, ReadData(database));
  GATEHOUSE_TRY(content.blocked_domains, ReadBlockedDomains(database));
  return content;
}

std::unexpected<Error> Differs() {
  return Trouble(
      "what is in it is not what was written (its checksum differs): it is damaged, or was edited "
      "without gatehousectl");
}

Result<std::string> ReadSeal(SqliteDatabase& database) {
  return database.One("SELECT checksum FROM store_state");
}

}  // namespace

Result<StoreContent> ReadSealed(SqliteDatabase& database) {
  GATEHOUSE_TRY(StoreContent content, ReadContent(database));
  GATEHOUSE_TRY(const std::string seal, ReadSeal(database));
  if (seal == SealOf(content)) return content;
  return Differs();
}

Result<StoreContent> SealContent(SqliteDatabase& database) {
  GATEHOUSE_TRY(StoreContent content, ReadContent(database));
  GATEHOUSE_TRY(SqliteStatement update, database.Prepare("UPDATE store_state SET checksum = ?"));
  GATEHOUSE_TRY_VOID(update.Bind(1, SealOf(content)).Run());
  return content;
}

Result<void> SealUpgraded(SqliteDatabase& database) {
  GATEHOUSE_TRY(const std::string seal, ReadSeal(database));
  GATEHOUSE_TRY(const StoreContent content, ReadContent(database));
  if (!seal.empty() && seal != SealOf(content) && seal != SealOfNumberedTypes(content))
    return Differs();
  GATEHOUSE_TRY_VOID(SealContent(database));
  return {};
}

}  // namespace gatehouse::policy_engine
