#include "plugins/policy_engine/plan_file.h"

#include <array>
#include <utility>

#include "plugins/policy_engine/store_file.h"

namespace gatehouse::policy_engine {
namespace {

// What a crash leaves of it is of no use.
constexpr const char* kPlanSchema =
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA temp_store = MEMORY;"
    "CREATE TABLE mark (sip_user TEXT NOT NULL, contact TEXT NOT NULL, mark INTEGER NOT NULL,"
    " place INTEGER NOT NULL, PRIMARY KEY (sip_user, contact)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE change (verb INTEGER NOT NULL, sip_user TEXT NOT NULL, contact TEXT NOT NULL,"
    " before INTEGER NOT NULL, PRIMARY KEY (verb, sip_user, contact)) STRICT, WITHOUT ROWID;";

enum Statement : std::size_t { kAdd, kPlace, kMarks, kAddChange, kChanges };
constexpr std::array kStatements = {
    "INSERT INTO mark VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING place",
    "SELECT place FROM mark WHERE sip_user = ? AND contact = ?",
    "SELECT sip_user, contact, mark, place FROM mark WHERE (sip_user, contact) > (?, ?)"
    " ORDER BY sip_user, contact LIMIT ?",
    "INSERT INTO change VALUES (?, ?, ?, ?)",
    "SELECT verb, sip_user, contact, before FROM change WHERE (verb, sip_user, contact) > (?, ?, ?)"
    " ORDER BY verb, sip_user, contact LIMIT ?",
};
constexpr std::int64_t kSaidNothing = -1;

std::int64_t NumberOf(std::optional<ContactMark> mark) {
  return mark ? static_cast<std::int64_t>(*mark) : kSaidNothing;
}

std::optional<ContactMark> MarkFrom(std::int64_t number) {
  if (number == kSaidNothing) return std::nullopt;
  return static_cast<ContactMark>(number);
}

}  // namespace

Result<PlanFile> PlanFile::Create(const std::string& path) {
  GATEHOUSE_TRY_VOID(CreatePrivateFile(path));
  GATEHOUSE_TRY(SqliteDatabase database, SqliteDatabase::Open(path));
  PlanFile file(path, std::move(database));
  GATEHOUSE_TRY_VOID(file.Prepare());
  return file;
}

Result<void> PlanFile::Prepare() {
  GATEHOUSE_TRY_VOID(database_.Run(kPlanSchema));
  for (const char* sql : kStatements) {
    GATEHOUSE_TRY(SqliteStatement statement, database_.Prepare(sql));
    statements_.push_back(std::move(statement));
  }
  return {};
}

PlanFile::~PlanFile() {
  if (!path_.empty()) RemoveStoreFile(path_);
}

Result<std::optional<std::int64_t>> PlanFile::Add(const PlannedMark& mark) {
  SqliteStatement& insert = statements_[kAdd];
  insert.Reset();
  insert.Bind(1, mark.pair.sip_user).Bind(2, mark.pair.contact);
  insert.Bind(3, static_cast<std::int64_t>(mark.mark)).Bind(4, mark.index);
  GATEHOUSE_TRY(const bool is_new, insert.Step());
  insert.Reset();
  if (is_new) return std::nullopt;
  SqliteStatement& select = statements_[kPlace];
  select.Reset();
  GATEHOUSE_TRY([[maybe_unused]] const bool found,
                select.Bind(1, mark.pair.sip_user).Bind(2, mark.pair.contact).Step());
  const std::int64_t place = select.Integer(0);
  select.Reset();
  return place;
}

Result<bool> PlanFile::Has(const ContactPair& pair) {
  SqliteStatement& select = statements_[kPlace];
  select.Reset();
  GATEHOUSE_TRY(const bool found, select.Bind(1, pair.sip_user).Bind(2, pair.contact).Step());
  select.Reset();
  return found;
}

Result<std::vector<PlannedMark>> PlanFile::Marks(const ContactPair& after, std::size_t limit) {
  SqliteStatement& select = statements_[kMarks];
  select.Reset();
  select.Bind(1, after.sip_user).Bind(2, after.contact).Bind(3, static_cast<std::int64_t>(limit));
  std::vector<PlannedMark> marks;
  for (;;) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) break;
    marks.push_back({{select.Text(0), select.Text(1)},
                     static_cast<ContactMark>(select.Integer(2)),
                     select.Integer(3)});
  }
  select.Reset();
  return marks;
}

Result<void> PlanFile::AddChange(const PlannedChange& change) {
  SqliteStatement& insert = statements_[kAddChange];
  insert.Reset();
  insert.Bind(1, static_cast<std::int64_t>(change.verb)).Bind(2, change.pair.sip_user);
  return insert.Bind(3, change.pair.contact).Bind(4, NumberOf(change.before)).Run();
}

Result<std::vector<PlannedChange>> PlanFile::Changes(const std::optional<PlannedChange>& after,
                                                     std::size_t limit) {
  SqliteStatement& select = statements_[kChanges];
  select.Reset();
  select.Bind(1, after ? static_cast<std::int64_t>(after->verb) : std::int64_t{-1});
  select.Bind(2, after ? after->pair.sip_user : "").Bind(3, after ? after->pair.contact : "");
  select.Bind(4, static_cast<std::int64_t>(limit));
  std::vector<PlannedChange> changes;
  for (;;) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) break;
    changes.push_back({static_cast<PlanVerb>(select.Integer(0)),
                       {select.Text(1), select.Text(2)},
                       MarkFrom(select.Integer(3))});
  }
  select.Reset();
  return changes;
}

}  // namespace gatehouse::policy_engine
