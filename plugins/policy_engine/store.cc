#include "plugins/policy_engine/store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/policy/partner_words.h"
#include "core/tls/crypto.h"
#include "plugins/policy_engine/access_rows.h"
#include "plugins/policy_engine/store_file.h"

namespace gatehouse::policy_engine {
namespace {

Result<std::uint64_t> FileId(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return Trouble(fmt::format("policy store '{}': the file is gone", path));
  return static_cast<std::uint64_t>(info.st_ino);
}

std::uint32_t Unsigned(const SqliteStatement& row, int column) {
  return static_cast<std::uint32_t>(row.Integer(column));
}

Result<proto::Partner> PartnerOf(const SqliteStatement& row) {
  const auto type = ParsePartnerType(row.Text(1));
  const auto tls = ParseNegotiation(row.Text(2));
  const auto sasl = ParseNegotiation(row.Text(3));
  const auto dane = ParseDane(row.Text(15));
  if (!type || !tls || !sasl || !dane)
    return Trouble(fmt::format("partner '{}' in the store has unknown words", row.Text(0)));
  proto::Partner partner;
  partner.set_id(row.Text(0));
  partner.set_type(*type);
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
    "SELECT partner.id, type, tls, sasl, dialback, connection_limit, keep_alive, proxy,"
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
                                 " unverified_outbound_im, federation, discover FROM gateway"));
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

Result<std::uint64_t> NextRevision(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement update,
                database.Prepare("UPDATE store_state SET revision = revision + 1"
                                 " RETURNING revision"));
  GATEHOUSE_TRY(const bool row, update.Step());
  if (!row) return Trouble("the store has no revision");
  const auto revision = static_cast<std::uint64_t>(update.Integer(0));
  GATEHOUSE_TRY_VOID(update.Run());
  return revision;
}

// Answers about contacts that were given before are void from now on.
Result<void> NextContactsEpoch(SqliteDatabase& database) {
  return database.Run("UPDATE store_state SET contacts_epoch = contacts_epoch + 1");
}

Result<proto::FederationData> ReadData(SqliteDatabase& database) {
  proto::FederationData data;
  GATEHOUSE_TRY(*data.mutable_gateway(), ReadGateway(database));
  GATEHOUSE_TRY_VOID(ReadPartners(database, *data.mutable_partners()));
  GATEHOUSE_TRY_VOID(ReadAccessPolicies(database, *data.mutable_policies()));
  GATEHOUSE_TRY_VOID(ReadDenied(database, *data.mutable_denied()));
  return data;
}

// SQLite finds a page that cannot be, not a bit that makes "false" a "true".
// Without one of the blocked domains nobody would be looked for in it.
std::string ChecksumOf(const StoreContent& content) {
  std::string all = content.data.SerializeAsString();
  for (const std::string& domain : content.blocked_domains) all += '\n' + domain;
  return Hex(Sha256(all));
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
                                 " dane, expires_unix)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(1, partner.id()).Bind(2, PartnerTypeWord(partner.type()));
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

Result<void> UpdateGateway(SqliteDatabase& database, const proto::GatewaySettings& settings) {
  GATEHOUSE_TRY(SqliteStatement update,
                database.Prepare("UPDATE gateway SET connection_limit = ?,"
                                 " partner_connection_limit = ?, keep_alive_interval_s = ?,"
                                 " stream_establishment_timeout_s = ?,"
                                 " stream_inactivity_timeout_s = ?,"
                                 " subscription_refresh_interval_s = ?, log_message_bodies = ?,"
                                 " dialback_disabled_reply = ?, one_stream_per_pair = ?,"
                                 " authorisation_ttl_s = ?, unverified_outbound_im = ?,"
                                 " federation = ?, discover = ?"));
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
  return update.Run();
}

Result<void> RunOn(SqliteDatabase& database, std::string_view sql, const std::string& text) {
  GATEHOUSE_TRY(SqliteStatement statement, database.Prepare(sql));
  return statement.Bind(1, text).Run();
}

Result<void> TakeOut(SqliteDatabase& database, const proto::RecordChange& change) {
  switch (change.before().body_case()) {
    case proto::Record::kPartner:
      if (!change.has_after())
        GATEHOUSE_TRY_VOID(ForgetTls(database, change.before().partner().id()));
      return DeletePartner(database, change.before().partner().id());
    case proto::Record::kPolicy:
      return RunOn(database, "DELETE FROM access_policy WHERE name = ?",
                   change.before().policy().name());
    case proto::Record::kDeniedDomain:
      return RunOn(database, "DELETE FROM denied_domain WHERE domain = ?",
                   change.before().denied_domain().domain());
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
      return InsertAccessPolicy(database, change.after().policy());
    case proto::Record::kDeniedDomain:
      return RunOn(database, "INSERT INTO denied_domain (domain) VALUES (?)",
                   change.after().denied_domain().domain());
    case proto::Record::BODY_NOT_SET:
      break;
  }
  return {};
}

// A partner that stays, without a domain or a wildcard that it had.
bool LosesADomain(const proto::RecordChange& change) {
  if (!change.before().has_partner() || !change.has_after()) return false;
  const auto& after = change.after().partner();
  const auto is_lost = [&after](const std::string& domain) {
    return domain != after.domain() && std::ranges::find(after.additional_domains(), domain) ==
                                           after.additional_domains().end();
  };
  const auto& before = change.before().partner();
  return is_lost(before.domain()) || std::ranges::any_of(before.additional_domains(), is_lost);
}

}  // namespace

Result<Store> Store::Open(const std::string& path, std::function<void()> still_busy) {
  GATEHOUSE_TRY(SqliteDatabase database, OpenStoreFile(path, still_busy));
  GATEHOUSE_TRY(const std::uint64_t file_id, FileId(path));
  Store store(std::move(database), path, file_id);
  store.still_busy_ = std::move(still_busy);
  return store;
}

void Store::OnProgress(std::function<void()> still_busy) {
  still_busy_ = std::move(still_busy);
  database_.OnProgress(still_busy_);
}

// SQLite would go on writing into a file that has no name any more, and lose it all at the end.
Result<void> Store::CheckFileIsThere() const {
  const Result<std::uint64_t> now = FileId(path_);
  if (now && *now == file_id_) return {};
  return Trouble(
      fmt::format("policy store '{}' was taken away or replaced while in use; put it "
                  "back, then run: gatehousectl worker restart policy_engine/0",
                  path_));
}

// Those of partners that go for good; by the domains they still have.
Result<void> Store::ForgetContacts(std::span<const proto::RecordChange> changes) {
  std::set<std::string> gone;
  for (const proto::RecordChange& change : changes)
    if (change.before().has_partner() && !change.has_after())
      gone.insert(change.before().partner().id());
  if (gone.empty()) return {};
  GATEHOUSE_TRY(const bool any, contacts_.ForgetPartners(database_, gone));
  return any ? NextContactsEpoch(database_) : Result<void>();
}

// Those in domains that a partner had and no partner has now: whoever gets one later has not been
// authorised by anybody.
Result<void> Store::ForgetOwnerless(std::span<const proto::RecordChange> changes) {
  if (std::ranges::none_of(changes, LosesADomain)) return {};
  GATEHOUSE_TRY(const bool any, contacts_.ForgetOwnerless(database_));
  return any ? NextContactsEpoch(database_) : Result<void>();
}

template <class T>
Result<T> Store::Told(Result<T> result) const {
  if (result || result.error().text.starts_with("policy store '")) return result;
  return Trouble(
      fmt::format("policy store '{}': {}; nothing was changed, see that its disk has room and is "
                  "sound, or restore a copy",
                  path_, result.error().text));
}

// `change` does what is not in the entry's records.
template <class Change>
Result<StoreContent> Store::Write(AuditEntry audit, Change change) {
  return Told(WriteIn(std::move(audit), change));
}

template <class Change>
Result<StoreContent> Store::WriteIn(AuditEntry audit, Change change) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY(audit.revision, NextRevision(database_));
  GATEHOUSE_TRY_VOID(ForgetContacts(audit.changes));
  for (const proto::RecordChange& one : audit.changes) GATEHOUSE_TRY_VOID(TakeOut(database_, one));
  for (const proto::RecordChange& one : audit.changes)
    GATEHOUSE_TRY_VOID(PutIn(database_, one, audit.revision));
  GATEHOUSE_TRY_VOID(ForgetOwnerless(audit.changes));
  GATEHOUSE_TRY_VOID(change(audit.revision));
  GATEHOUSE_TRY_VOID(AddAudit(database_, audit));
  return Seal(transaction);
}

// The last step of every write of what is in the data.
Result<StoreContent> Store::Seal(SqliteTransaction& transaction) {
  GATEHOUSE_TRY(StoreContent content, ReadUnchecked());
  GATEHOUSE_TRY(SqliteStatement update, database_.Prepare("UPDATE store_state SET checksum = ?"));
  GATEHOUSE_TRY_VOID(update.Bind(1, ChecksumOf(content)).Run());
  GATEHOUSE_TRY_VOID(transaction.Commit());
  return content;
}

Result<StoreContent> Store::ReadUnchecked() {
  StoreContent content;
  GATEHOUSE_TRY(SqliteStatement select,
                database_.Prepare("SELECT revision, contacts_epoch FROM store_state"));
  GATEHOUSE_TRY(const bool row, select.Step());
  if (!row) return Trouble("the store has no revision");
  content.revision = static_cast<std::uint64_t>(select.Integer(0));
  content.contacts_epoch = static_cast<std::uint64_t>(select.Integer(1));
  GATEHOUSE_TRY(content.data, ReadData(database_));
  GATEHOUSE_TRY(content.blocked_domains, ReadBlockedDomains(database_));
  return content;
}

Result<StoreContent> Store::Read() {
  GATEHOUSE_TRY(StoreContent content, ReadUnchecked());
  GATEHOUSE_TRY(const std::string written, database_.One("SELECT checksum FROM store_state"));
  // Empty before the first change.
  if (written.empty() || written == ChecksumOf(content)) return content;
  return Trouble(fmt::format(
      "policy store '{}': what is in it is not what was written (its checksum differs): "
      "it is damaged, or was edited without gatehousectl; restore a copy",
      path_));
}

Result<StoreContent> Store::Write(AuditEntry change) {
  return Write(std::move(change), [](std::uint64_t) { return Result<void>(); });
}

Result<StoreContent> Store::ForgetTls(const std::string& id, AuditEntry change) {
  return Write(std::move(change),
               [&](std::uint64_t) { return policy_engine::ForgetTls(database_, id); });
}

Result<StoreContent> Store::RememberTls(std::span<const std::string> ids, std::int64_t at_unix) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  for (const std::string& id : ids)
    GATEHOUSE_TRY_VOID(policy_engine::RememberTls(database_, id, at_unix));
  return Seal(transaction);
}

Result<void> Store::Note(const AuditEntry& entry) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(AddAudit(database_, entry));
  return transaction.Commit();
}

Result<StoreCopy> Store::CopyTo(const std::string& path) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteDatabase target, SqliteDatabase::Open(path));
  GATEHOUSE_TRY(SqliteCopy copy, SqliteCopy::Begin(target, database_));
  return StoreCopy(std::move(target), std::move(copy));
}

Result<std::string> Store::KeepBeside(std::int64_t at_unix) {
  const std::string path =
      fmt::format("{}.before-restore-{:%Y%m%dT%H%M%SZ}", path_, fmt::gmtime(at_unix));
  GATEHOUSE_TRY_VOID(CreatePrivateFile(path));
  GATEHOUSE_TRY(StoreCopy copy, CopyTo(path));
  GATEHOUSE_TRY(const bool done, copy.All(still_busy_));
  if (!done) return Trouble("the store is locked by another program; end that one");
  return path;
}

Result<void> Store::Become(Store& other) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteCopy copy, SqliteCopy::Begin(database_, other.database_));
  GATEHOUSE_TRY(const bool done, copy.All(still_busy_));
  if (!done) return Trouble("the store is locked by another program; end that one");
  return {};
}

Result<std::uint64_t> Store::CountOnFrom(const StoreContent& other, AuditEntry entry) {
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY(SqliteStatement update,
                database_.Prepare("UPDATE store_state SET revision = max(revision, ?1) + 1,"
                                  " contacts_epoch = max(contacts_epoch, ?2) + 1"
                                  " RETURNING revision"));
  update.Bind(1, static_cast<std::int64_t>(other.revision));
  update.Bind(2, static_cast<std::int64_t>(other.contacts_epoch));
  GATEHOUSE_TRY(const bool row, update.Step());
  if (!row) return Trouble("the store has no revision");
  entry.revision = static_cast<std::uint64_t>(update.Integer(0));
  GATEHOUSE_TRY_VOID(update.Run());
  GATEHOUSE_TRY_VOID(AddAudit(database_, entry));
  GATEHOUSE_TRY_VOID(transaction.Commit());
  return entry.revision;
}

Result<std::optional<ContactRow>> Store::FindContact(const ContactPair& pair,
                                                     const ContactClock& clock) {
  return contacts_.Find(database_, pair, clock);
}

Result<std::vector<std::optional<ContactMark>>> Store::SeeContacts(
    std::span<const ContactPair> pairs, const ContactClock& clock) {
  return Told(SeeIn(pairs, clock));
}

Result<std::vector<std::optional<ContactMark>>> Store::SeeIn(std::span<const ContactPair> pairs,
                                                             const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  std::vector<std::optional<ContactMark>> marks;
  marks.reserve(pairs.size());
  for (const ContactPair& pair : pairs) {
    GATEHOUSE_TRY(marks.emplace_back(), contacts_.See(database_, pair, clock));
  }
  GATEHOUSE_TRY_VOID(transaction.Commit());
  return marks;
}

Result<void> Store::EditContacts(std::span<const ContactEdit> edits, std::int64_t now_unix) {
  return Told(EditIn(edits, now_unix));
}

Result<void> Store::EditIn(std::span<const ContactEdit> edits, std::int64_t now_unix) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(NextContactsEpoch(database_));
  for (const ContactEdit& edit : edits) {
    if (edit.mark) {
      GATEHOUSE_TRY(const bool written,
                    contacts_.Put(database_, {edit.pair, *edit.mark, now_unix}));
      if (!written)
        return Trouble(fmt::format("the domain of '{}' is no partner's", edit.pair.contact));
    } else {
      GATEHOUSE_TRY_VOID(contacts_.Forget(database_, edit.pair));
    }
    GATEHOUSE_TRY_VOID(AddAudit(database_, edit.audit));
  }
  GATEHOUSE_TRY_VOID(Seal(transaction));
  return {};
}

Result<ContactPage> Store::ListContacts(const ContactFilter& filter, const ContactClock& clock) {
  return contacts_.List(database_, filter, clock);
}

Result<void> Store::SweepContacts(const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  return contacts_.Sweep(database_, clock);
}

Result<bool> Store::HasRevision(std::uint64_t revision) {
  // The oldest that is noted leads back to the one before it.
  GATEHOUSE_TRY(
      SqliteStatement select,
      database_.Prepare("SELECT EXISTS (SELECT 1 FROM audit WHERE revision = ?1 AND ?1 > 0)"
                        " OR ?1 = (SELECT min(revision) - 1 FROM audit"
                        " WHERE revision > 0)"));
  select.Bind(1, static_cast<std::int64_t>(revision));
  GATEHOUSE_TRY(const bool row, select.Step());
  return row && select.Integer(0) != 0;
}

}  // namespace gatehouse::policy_engine
