#include "plugins/policy_engine/record_rows.h"

#include <fmt/format.h>

#include <string_view>

#include "core/policy/partner_type.h"
#include "core/policy/partner_words.h"
#include "plugins/policy_engine/access_rows.h"
#include "plugins/policy_engine/type_rows.h"

namespace gatehouse::policy_engine {
namespace {

std::uint32_t Unsigned(const SqliteStatement& row, int column) {
  return static_cast<std::uint32_t>(row.Integer(column));
}

Result<proto::Partner> PartnerOf(const SqliteStatement& row) {
  const auto tls = ParseNegotiation(row.Text(2));
  const auto sasl = ParseNegotiation(row.Text(3));
  const auto dane = ParseDane(row.Text(15));
  if (!tls || !sasl || !dane)
    return Trouble(fmt::format("partner '{}' in the store has unknown words", row.Text(0)));
  proto::Partner partner;
  partner.set_id(row.Text(0));
  partner.set_type(row.Text(1));
  partner.set_tls(*tls);
  partner.set_sasl(*sasl);
  partner.set_dialback(row.Integer(4) != 0);
  partner.set_connection_limit(Unsigned(row, 5));
  partner.set_keep_alive(row.Integer(6) != 0);
  partner.set_proxy(row.Text(7));
  partner.set_description(row.Text(8));
  partner.set_enabled(row.Integer(9) != 0);
  partner.set_revision(static_cast<std::uint64_t>(row.Integer(10)));
  partner.set_trust_anchors(row.Text(11));
  partner.set_strict_sasl(row.Integer(12) != 0);
  partner.set_bidi(row.Integer(13) != 0);
  partner.set_same_certificate(row.Integer(14) != 0);
  partner.set_dane(*dane);
  partner.set_tls_seen_unix(static_cast<std::uint64_t>(row.Integer(16)));
  partner.set_expires_unix(static_cast<std::uint64_t>(row.Integer(17)));
  return partner;
}

// One row per domain, ordered by partner: the first of each carries the primary domain.
constexpr std::string_view kSelectPartners =
    "SELECT partner.id, CASE own_type WHEN '' THEN type ELSE own_type END, tls, sasl, dialback, "
    "connection_limit, keep_alive, proxy,"
    " description, enabled, revision, trust_anchors, strict_sasl, bidi, same_certificate, dane,"
    " coalesce(tls_memory.at_unix, 0), expires_unix,"
    " named.domain, named.position"
    " FROM partner JOIN partner_domain AS named ON named.partner_id = partner.id"
    " JOIN partner_domain AS first ON first.partner_id = partner.id AND first.position = 0"
    " LEFT JOIN tls_memory ON tls_memory.partner_id = partner.id"
    " ORDER BY first.domain, named.position";

Result<void> ReadPartners(SqliteDatabase& database,
                          google::protobuf::RepeatedPtrField<proto::Partner>& partners) {
  GATEHOUSE_TRY(SqliteStatement select, database.Prepare(kSelectPartners));
  while (true) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return {};
    if (select.Integer(19) != 0) {
      partners.rbegin()->add_additional_domains(select.Text(18));
      continue;
    }
    GATEHOUSE_TRY(proto::Partner partner, PartnerOf(select));
    partner.set_domain(select.Text(18));
    *partners.Add() = std::move(partner);
  }
}

Result<proto::GatewaySettings> ReadGateway(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT connection_limit, partner_connection_limit,"
                                 " keep_alive_interval_s, stream_establishment_timeout_s,"
                                 " stream_inactivity_timeout_s, subscription_refresh_interval_s,"
                                 " log_message_bodies, dialback_disabled_reply,"
                                 " one_stream_per_pair, authorisation_ttl_s,"
                                 " unverified_outbound_im, federation, discover,"
                                 " synthetic_interval_s FROM gateway"));
  GATEHOUSE_TRY(const bool row, select.Step());
  if (!row) return Trouble("the store has no gateway settings");
  proto::GatewaySettings settings;
  settings.set_connection_limit(Unsigned(select, 0));
  settings.set_partner_connection_limit(Unsigned(select, 1));
  settings.set_keep_alive_interval_s(Unsigned(select, 2));
  settings.set_stream_establishment_timeout_s(Unsigned(select, 3));
  settings.set_stream_inactivity_timeout_s(Unsigned(select, 4));
  settings.set_subscription_refresh_interval_s(Unsigned(select, 5));
  settings.set_log_message_bodies(select.Integer(6) != 0);
  settings.set_dialback_disabled_reply(select.Integer(7) != 0 ? proto::SILENT : proto::ERROR_ONCE);
  settings.set_one_stream_per_pair(select.Integer(8) != 0);
  settings.set_authorisation_ttl_s(Unsigned(select, 9));
  settings.set_unverified_outbound_im(select.Integer(10) != 0);
  const auto federation = ParseFederation(select.Text(11));
  if (!federation) return Trouble("the gateway settings in the store have unknown words");
  settings.set_federation(*federation);
  settings.set_discover(select.Integer(12) != 0);
  settings.set_synthetic_interval_s(Unsigned(select, 13));
  return settings;
}

Result<void> ReadDenied(SqliteDatabase& database,
                        google::protobuf::RepeatedPtrField<proto::DeniedDomain>& denied) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT domain FROM denied_domain ORDER BY domain"));
  while (true) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return {};
    denied.Add()->set_domain(select.Text(0));
  }
}

Result<void> AddDomain(SqliteDatabase& database, const std::string& id, const std::string& domain,
                       int position) {
  GATEHOUSE_TRY(SqliteStatement insert, database.Prepare("INSERT INTO partner_domain (domain,"
                                                         " partner_id, position)"
                                                         " VALUES (?, ?, ?)"));
  return insert.Bind(1, domain).Bind(2, id).Bind(3, std::int64_t{position}).Run();
}

Result<void> DeletePartner(SqliteDatabase& database, const std::string& id) {
  GATEHOUSE_TRY(SqliteStatement remove, database.Prepare("DELETE FROM partner WHERE id = ?"));
  return remove.Bind(1, id).Run();
}

Result<void> InsertPartner(SqliteDatabase& database, const proto::Partner& partner,
                           std::uint64_t revision) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO partner (id, type, tls, sasl, dialback,"
                                 " connection_limit, keep_alive, proxy, description, enabled,"
                                 " revision, trust_anchors, strict_sasl, bidi, same_certificate,"
                                 " dane, expires_unix, own_type)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const bool is_preset = FindPreset(partner.type()) != nullptr;
  insert.Bind(1, partner.id()).Bind(2, is_preset ? partner.type() : kPublicUnverified);
  insert.Bind(18, is_preset ? std::string() : partner.type());
  insert.Bind(3, NegotiationWord(partner.tls())).Bind(4, NegotiationWord(partner.sasl()));
  insert.Bind(5, std::int64_t{partner.dialback()});
  insert.Bind(6, std::int64_t{partner.connection_limit()});
  insert.Bind(7, std::int64_t{partner.keep_alive()});
  insert.Bind(8, partner.proxy()).Bind(9, partner.description());
  insert.Bind(10, std::int64_t{partner.enabled()}).Bind(11, static_cast<std::int64_t>(revision));
  insert.Bind(12, partner.trust_anchors()).Bind(13, std::int64_t{partner.strict_sasl()});
  insert.Bind(14, std::int64_t{partner.bidi()});
  insert.Bind(15, std::int64_t{partner.same_certificate()});
  insert.Bind(16, DaneWord(partner.dane()));
  insert.Bind(17, static_cast<std::int64_t>(partner.expires_unix()));
  GATEHOUSE_TRY_VOID(insert.Run());
  GATEHOUSE_TRY_VOID(AddDomain(database, partner.id(), partner.domain(), 0));
  for (int i = 0; i < partner.additional_domains_size(); ++i)
    GATEHOUSE_TRY_VOID(AddDomain(database, partner.id(), partner.additional_domains(i), i + 1));
  return {};
}

Result<void> UpdateGateway(SqliteDatabase& database, const proto::GatewaySettings& settings) {
  GATEHOUSE_TRY(SqliteStatement update,
                database.Prepare("UPDATE gateway SET connection_limit = ?,"
                                 " partner_connection_limit = ?, keep_alive_interval_s = ?,"
                                 " stream_establishment_timeout_s = ?,"
                                 " stream_inactivity_timeout_s = ?,"
                                 " subscription_refresh_interval_s = ?, log_message_bodies = ?,"
                                 " dialback_disabled_reply = ?, one_stream_per_pair = ?,"
                                 " authorisation_ttl_s = ?, unverified_outbound_im = ?,"
                                 " federation = ?, discover = ?, synthetic_interval_s = ?"));
  update.Bind(1, std::int64_t{settings.connection_limit()});
  update.Bind(2, std::int64_t{settings.partner_connection_limit()});
  update.Bind(3, std::int64_t{settings.keep_alive_interval_s()});
  update.Bind(4, std::int64_t{settings.stream_establishment_timeout_s()});
  update.Bind(5, std::int64_t{settings.stream_inactivity_timeout_s()});
  update.Bind(6, std::int64_t{settings.subscription_refresh_interval_s()});
  update.Bind(7, std::int64_t{settings.log_message_bodies()});
  update.Bind(8, std::int64_t{settings.dialback_disabled_reply() == proto::SILENT});
  update.Bind(9, std::int64_t{settings.one_stream_per_pair()});
  update.Bind(10, std::int64_t{settings.authorisation_ttl_s()});
  update.Bind(11, std::int64_t{settings.unverified_outbound_im()});
  update.Bind(12, FederationWord(settings.federation()));
  update.Bind(13, std::int64_t{settings.discover()});
  update.Bind(14, std::int64_t{settings.synthetic_interval_s()});
  return update.Run();
}

Result<void> RunOn(SqliteDatabase& database, std::string_view sql, const std::string& text) {
  GATEHOUSE_TRY(SqliteStatement statement, database.Prepare(sql));
  return statement.Bind(1, text).Run();
}

// Its row stays, and of its grants those of which the change does not speak.
bool PolicyStays(const proto::RecordChange& change) {
  return change.before().has_policy() &&
         change.before().policy().name() == change.after().policy().name();
}

}  // namespace

Result<proto::FederationData> ReadData(SqliteDatabase& database) {
  proto::FederationData data;
  GATEHOUSE_TRY(*data.mutable_gateway(), ReadGateway(database));
  GATEHOUSE_TRY_VOID(ReadPartners(database, *data.mutable_partners()));
  GATEHOUSE_TRY_VOID(ReadPartnerTypes(database, *data.mutable_partner_types()));
  GATEHOUSE_TRY_VOID(ReadAccessPolicies(database, *data.mutable_policies()));
  GATEHOUSE_TRY_VOID(ReadDenied(database, *data.mutable_denied()));
  return data;
}

Result<void> TakeOut(SqliteDatabase& database, const proto::RecordChange& change) {
  switch (change.before().body_case()) {
    case proto::Record::kPartner:
      if (!change.has_after())
        GATEHOUSE_TRY_VOID(ForgetTls(database, change.before().partner().id()));
      return DeletePartner(database, change.before().partner().id());
    case proto::Record::kPolicy:
      if (PolicyStays(change)) return DeleteGrants(database, change.before().policy());
      return DeleteAccessPolicy(database, change.before().policy().name());
    case proto::Record::kDeniedDomain:
      return RunOn(database, "DELETE FROM denied_domain WHERE domain = ?",
                   change.before().denied_domain().domain());
    case proto::Record::kPartnerType:
      return DeletePartnerType(database, change.before().partner_type().name());
    case proto::Record::kGateway:
    case proto::Record::BODY_NOT_SET:
      break;
  }
  return {};
}

Result<void> PutIn(SqliteDatabase& database, const proto::RecordChange& change,
                   std::uint64_t revision) {
  switch (change.after().body_case()) {
    case proto::Record::kPartner:
      return InsertPartner(database, change.after().partner(), revision);
    case proto::Record::kGateway:
      return UpdateGateway(database, change.after().gateway());
    case proto::Record::kPolicy:
      if (!PolicyStays(change)) return InsertAccessPolicy(database, change.after().policy());
      GATEHOUSE_TRY_VOID(UpdateAccessPolicy(database, change.after().policy()));
      return InsertGrants(database, change.after().policy());
    case proto::Record::kDeniedDomain:
      return RunOn(database, "INSERT INTO denied_domain (domain) VALUES (?)",
                   change.after().denied_domain().domain());
    case proto::Record::kPartnerType:
      return InsertPartnerType(database, change.after().partner_type());
    case proto::Record::BODY_NOT_SET:
      break;
  }
  return {};
}

Result<void> ForgetTls(SqliteDatabase& database, const std::string& id) {
  GATEHOUSE_TRY(SqliteStatement forget,
                database.Prepare("DELETE FROM tls_memory WHERE partner_id = ?"));
  return forget.Bind(1, id).Run();
}

Result<void> RememberTls(SqliteDatabase& database, const std::string& id, std::int64_t at_unix) {
  GATEHOUSE_TRY(
      SqliteStatement remember,
      database.Prepare("INSERT INTO tls_memory (partner_id, at_unix) VALUES (?, ?)"
                       " ON CONFLICT (partner_id) DO UPDATE SET at_unix = excluded.at_unix"));
  return remember.Bind(1, id).Bind(2, at_unix).Run();
}

}  // namespace gatehouse::policy_engine
