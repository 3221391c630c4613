#include "plugins/policy_engine/audit_log.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "core/policy/record_kinds.h"

namespace gatehouse::policy_engine {
namespace {

namespace json = google::protobuf::util;

constexpr const char* kTypePrefix = "type.googleapis.com";
constexpr std::string_view kWhole = "whole";
constexpr std::string_view kDifference = "difference";

// Every field is written, so that one which is missing later is one that did not exist yet.
std::string JsonOf(const proto::Record& record) {
  if (record.body_case() == proto::Record::BODY_NOT_SET) return {};
  json::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  // Fails for wrong UTF-8 only, which no record that passed the rules has.
  if (!json::MessageToJsonString(BodyOf(record), &text, options).ok()) return {};
  return text;
}

// "contact" of "contact allow".
std::string_view FirstWord(std::string_view action) {
  return action.substr(0, action.find(' '));
}

// For who reads the file: what the lists in it are.
std::string_view SetsWord(const proto::RecordChange& change) {
  const RecordKind* const kind = FindKind(change.after());
  return kind != nullptr && kind->sets != nullptr && change.has_before() ? kDifference : kWhole;
}

Result<void> AddChanges(SqliteDatabase& database, std::int64_t seq, const AuditEntry& entry) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO record_change (audit_seq, position, kind, key,"
                                 " before, after, sets) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  for (std::size_t i = 0; i < entry.changes.size(); ++i) {
    const proto::RecordChange& change = entry.changes[i];
    const proto::Record& named = change.has_after() ? change.after() : change.before();
    insert.Bind(1, seq).Bind(2, static_cast<std::int64_t>(i)).Bind(3, KindWord(named));
    insert.Bind(4, KeyOf(named)).Bind(5, JsonOf(change.before())).Bind(6, JsonOf(change.after()));
    insert.Bind(7, SetsWord(change));
    GATEHOUSE_TRY_VOID(insert.Run());
    insert.Reset();
  }
  if (entry.before.empty() && entry.after.empty()) return {};
  insert.Bind(1, seq).Bind(2, static_cast<std::int64_t>(entry.changes.size()));
  insert.Bind(3, FirstWord(entry.action)).Bind(4, entry.subject);
  insert.Bind(5, entry.before).Bind(6, entry.after).Bind(7, kWhole);
  return insert.Run();
}

}  // namespace

class RecordReader {
 public:
  Result<proto::Record> Read(const std::string& kind, const std::string& text) {
    proto::Record record;
    if (text.empty()) return record;
    const auto* const field = proto::Record::descriptor()->FindFieldByName(kind);
    google::protobuf::Message& body = *record.GetReflection()->MutableMessage(&record, field);
    if (const RecordKind* const known = FindKind(record); known != nullptr) known->defaults(record);
    json::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    std::string binary;
    const std::string type = fmt::format("{}/{}", kTypePrefix, body.GetDescriptor()->full_name());
    if (!json::JsonToBinaryString(resolver_.get(), type, text, &binary, options).ok() ||
        !body.MergeFromString(binary))
      return Trouble(fmt::format("the audit has a {} that cannot be read", kind));
    return record;
  }

 private:
  std::unique_ptr<json::TypeResolver> resolver_{json::NewTypeResolverForDescriptorPool(
      kTypePrefix, google::protobuf::DescriptorPool::generated_pool())};
};

namespace {

Result<void> ReadChanges(SqliteStatement& select, std::int64_t seq, RecordReader& reader,
                         AuditEntry& entry) {
  select.Reset();
  select.Bind(1, seq);
  while (true) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return {};
    if (proto::Record::descriptor()->FindFieldByName(select.Text(0)) == nullptr) {
      entry.before = select.Text(1);
      entry.after = select.Text(2);
      continue;
    }
    proto::RecordChange& change = entry.changes.emplace_back();
    GATEHOUSE_TRY(proto::Record before, reader.Read(select.Text(0), select.Text(1)));
    GATEHOUSE_TRY(proto::Record after, reader.Read(select.Text(0), select.Text(2)));
    if (before.ByteSizeLong() > 0) *change.mutable_before() = std::move(before);
    if (after.ByteSizeLong() > 0) *change.mutable_after() = std::move(after);
  }
}

}  // namespace

Result<void> AddAudit(SqliteDatabase& database, const AuditEntry& entry) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO audit (revision, at_unix_ms, actor, uid, action,"
                                 " subject, reason) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq"));
  insert.Bind(1, static_cast<std::int64_t>(entry.revision)).Bind(2, entry.at_unix_ms);
  insert.Bind(3, entry.actor).Bind(4, entry.uid).Bind(5, entry.action);
  insert.Bind(6, entry.subject).Bind(7, entry.reason);
  GATEHOUSE_TRY(const bool row, insert.Step());
  if (!row) return Trouble("the audit gives no number to an entry");
  const std::int64_t seq = insert.Integer(0);
  GATEHOUSE_TRY_VOID(insert.Run());
  return AddChanges(database, seq, entry);
}

AuditWalk::AuditWalk(SqliteStatement entries, SqliteStatement changes)
    : entries_(std::move(entries)),
      changes_(std::move(changes)),
      reader_(std::make_unique<RecordReader>()) {}
AuditWalk::AuditWalk(AuditWalk&&) noexcept = default;
AuditWalk::~AuditWalk() = default;

Result<AuditWalk> AuditWalk::Begin(SqliteDatabase& database, const AuditQuery& query) {
  GATEHOUSE_TRY(
      SqliteStatement entries,
      database.Prepare("SELECT seq, revision, at_unix_ms, actor, uid, action, subject, reason"
                       " FROM audit WHERE revision >= ?1 AND (?2 = '' OR subject = ?2 OR seq IN"
                       " (SELECT audit_seq FROM record_change WHERE key = ?2))"
                       " ORDER BY seq DESC LIMIT ?3"));
  const bool all = !query.revisions_only && query.after_revision == 0;
  entries.Bind(1, all ? 0 : static_cast<std::int64_t>(query.after_revision) + 1);
  entries.Bind(2, query.subject).Bind(3, query.last);
  GATEHOUSE_TRY(SqliteStatement changes,
                database.Prepare("SELECT kind, before, after FROM record_change"
                                 " WHERE audit_seq = ? ORDER BY position"));
  return AuditWalk(std::move(entries), std::move(changes));
}

Result<std::optional<AuditEntry>> AuditWalk::Next() {
  GATEHOUSE_TRY(const bool row, entries_.Step());
  if (!row) return std::nullopt;
  AuditEntry entry;
  entry.revision = static_cast<std::uint64_t>(entries_.Integer(1));
  entry.at_unix_ms = entries_.Integer(2);
  entry.actor = entries_.Text(3);
  entry.uid = entries_.Integer(4);
  entry.action = entries_.Text(5);
  entry.subject = entries_.Text(6);
  entry.reason = entries_.Text(7);
  GATEHOUSE_TRY_VOID(ReadChanges(changes_, entries_.Integer(0), *reader_, entry));
  return entry;
}

}  // namespace gatehouse::policy_engine
