#include "plugins/policy_engine/store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/base/log.h"
#include "core/policy/partner_words.h"
#include "plugins/policy_engine/certificate_table.h"
#include "plugins/policy_engine/contact_table.h"
#include "plugins/policy_engine/store_content.h"
#include "plugins/policy_engine/sweep_memory.h"

namespace gatehouse::policy_engine {
namespace {

// "GATE": what PRAGMA application_id says of a file of ours.
constexpr int kApplicationId = 0x47415445;
constexpr mode_t kMode = 0600;
constexpr off_t kSmallestDatabase = 512;  // bytes: one page of the smallest size
constexpr const char* kUnfinished = ".new";
constexpr const char* kMade = ".made";
constexpr std::string_view kRemedy =
    "restore a copy, or move it and its '.made' away to start with no partners";

constexpr const char* kSettings = R"(
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
)";

// A domain belongs to one partner at most: partner_domain's key sees to it. Position 0 is the
// primary domain.
constexpr const char* kSchema = R"(
CREATE TABLE store_state (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO store_state VALUES (1, 1);
CREATE TABLE partner (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL CHECK (type IN ('public-unverified', 'public-verified', 'federated')),
  tls TEXT NOT NULL CHECK (tls IN ('required', 'optional', 'not-supported')),
  sasl TEXT NOT NULL CHECK (sasl IN ('required', 'optional', 'not-supported')),
  dialback INTEGER NOT NULL CHECK (dialback IN (0, 1)),
  connection_limit INTEGER NOT NULL,
  keep_alive INTEGER NOT NULL CHECK (keep_alive IN (0, 1)),
  proxy TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  revision INTEGER NOT NULL
) STRICT;
CREATE TABLE partner_domain (
  domain TEXT PRIMARY KEY,
  partner_id TEXT NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  UNIQUE (partner_id, position)
) STRICT;
CREATE TABLE gateway (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  connection_limit INTEGER NOT NULL,
  partner_connection_limit INTEGER NOT NULL,
  keep_alive_interval_s INTEGER NOT NULL,
  stream_establishment_timeout_s INTEGER NOT NULL,
  stream_inactivity_timeout_s INTEGER NOT NULL,
  subscription_refresh_interval_s INTEGER NOT NULL,
  log_message_bodies INTEGER NOT NULL CHECK (log_message_bodies IN (0, 1))
) STRICT;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at_unix_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL
) STRICT;
)";

// What each version added to the ones before it, in their order. A new file goes all the way.
struct Upgrade {
  int version;
  const char* sql;
};
constexpr std::array kUpgrades = {
    Upgrade{2, "ALTER TABLE partner ADD COLUMN trust_anchors TEXT NOT NULL DEFAULT ''"},
    // When an outbound stream over TLS last succeeded (3.4.1); a row outlives changes of its
    // partner.
    Upgrade{3,
            "ALTER TABLE partner ADD COLUMN strict_sasl INTEGER NOT NULL DEFAULT 0"
            " CHECK (strict_sasl IN (0, 1));"
            "CREATE TABLE tls_memory (partner_id TEXT PRIMARY KEY, at_unix INTEGER NOT NULL)"
            " STRICT"},
    Upgrade{4,
            "ALTER TABLE partner ADD COLUMN bidi INTEGER NOT NULL DEFAULT 0"
            " CHECK (bidi IN (0, 1));"
            "ALTER TABLE partner ADD COLUMN same_certificate INTEGER NOT NULL DEFAULT 0"
            " CHECK (same_certificate IN (0, 1));"
            "ALTER TABLE gateway ADD COLUMN dialback_disabled_reply INTEGER NOT NULL DEFAULT 0"
            " CHECK (dialback_disabled_reply IN (0, 1));"
            "ALTER TABLE gateway ADD COLUMN one_stream_per_pair INTEGER NOT NULL DEFAULT 0"
            " CHECK (one_stream_per_pair IN (0, 1))"},
    Upgrade{5,
            "ALTER TABLE partner ADD COLUMN dane TEXT NOT NULL DEFAULT 'report'"
            " CHECK (dane IN ('off', 'report', 'enforce'))"},
    // Contacts of SIP users, and what changes with those that no SUBSCRIBE made (5.4).
    Upgrade{6, ContactTable::kSchema},
    Upgrade{6,
            "ALTER TABLE store_state ADD COLUMN contacts_epoch INTEGER NOT NULL DEFAULT 1;"
            "ALTER TABLE gateway ADD COLUMN authorisation_ttl_s INTEGER NOT NULL"
            " DEFAULT 2592000"},
    // Changes have revisions, reasons and any number of records. Entries from before stay, but
    // nothing can be taken back to them: their revision is 0.
    Upgrade{7,
            "ALTER TABLE store_state ADD COLUMN checksum TEXT NOT NULL DEFAULT '';"
            "ALTER TABLE audit ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"
            "ALTER TABLE audit ADD COLUMN uid INTEGER NOT NULL DEFAULT -1;"
            "ALTER TABLE audit ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
            "CREATE UNIQUE INDEX audit_revision ON audit (revision) WHERE revision > 0;"
            "CREATE TABLE record_change ("
            "  audit_seq INTEGER NOT NULL REFERENCES audit (seq),"
            "  position INTEGER NOT NULL,"
            "  kind TEXT NOT NULL,"
            "  key TEXT NOT NULL,"
            "  before TEXT NOT NULL,"
            "  after TEXT NOT NULL,"
            "  PRIMARY KEY (audit_seq, position)"
            ") STRICT, WITHOUT ROWID;"
            "CREATE INDEX record_change_key ON record_change (key);"
            "INSERT INTO record_change SELECT seq, 0,"
            " substr(action, 1, instr(action, ' ') - 1),"
            " CASE subject WHEN 'gateway' THEN '' ELSE subject END, before, after"
            " FROM audit WHERE action <> 'partner forget-tls';"
            "ALTER TABLE audit DROP COLUMN before;"
            "ALTER TABLE audit DROP COLUMN after"},
    // Which domains have a blocked contact is read with every snapshot.
    Upgrade{9,
            "ALTER TABLE gateway ADD COLUMN unverified_outbound_im INTEGER NOT NULL DEFAULT 0"
            " CHECK (unverified_outbound_im IN (0, 1));"
            "CREATE INDEX contact_blocked ON contact (domain_id) WHERE mark = 2"},
    // Whoever was granted no access policy has the global one; as in Lync it begins without access.
    // There is more data than was summed up.
    Upgrade{10,
            "CREATE TABLE access_policy (name TEXT PRIMARY KEY,"
            " xmpp_access INTEGER NOT NULL CHECK (xmpp_access IN (0, 1)),"
            " description TEXT NOT NULL) STRICT;"
            "INSERT INTO access_policy VALUES ('global', 0, '');"
            "CREATE TABLE access_grant ("
            " kind TEXT NOT NULL CHECK (kind IN ('user', 'pattern', 'domain')),"
            " subject TEXT NOT NULL,"
            " policy TEXT NOT NULL REFERENCES access_policy (name) ON DELETE CASCADE,"
            " PRIMARY KEY (kind, subject)) STRICT;"
            "CREATE INDEX access_grant_policy ON access_grant (policy);"
            "ALTER TABLE gateway ADD COLUMN federation TEXT NOT NULL DEFAULT 'on'"
            " CHECK (federation IN ('on', 'off', 'inbound-only', 'outbound-only'));"
            "ALTER TABLE gateway ADD COLUMN discover INTEGER NOT NULL DEFAULT 0"
            " CHECK (discover IN (0, 1));"
            "ALTER TABLE partner ADD COLUMN expires_unix INTEGER NOT NULL DEFAULT 0;"
            "CREATE TABLE denied_domain (domain TEXT PRIMARY KEY) STRICT;"
            "UPDATE store_state SET checksum = ''"},
    // Null in rows from before.
    Upgrade{11,
            "ALTER TABLE contact ADD COLUMN guard INTEGER;"
            "UPDATE store_state SET checksum = ''"},
    // Whether the lists in `before` and `after` that are sets hold all that was in them, as in rows
    // from before, or only what was taken away and added. An older Gatehouse would take the one for
    // the other.
    Upgrade{12,
            "ALTER TABLE record_change ADD COLUMN sets TEXT NOT NULL DEFAULT 'whole'"
            " CHECK (sets IN ('whole', 'difference'))"},
    Upgrade{13, kCertificateSchema},
    // 0 is not written down in what is sealed: the seal from before fits.
    Upgrade{14, "ALTER TABLE gateway ADD COLUMN synthetic_interval_s INTEGER NOT NULL DEFAULT 0"},
    Upgrade{15, kSweepSchema},
    // Partner types of an operator's own; of a partner that has one, `type` says the least there
    // is. In the audit types had the names of an enum, and the seal is over its numbers.
    Upgrade{16,
            "CREATE TABLE partner_type (name TEXT PRIMARY KEY,"
            " may_subscribe INTEGER NOT NULL CHECK (may_subscribe IN (0, 1)),"
            " auto_approve INTEGER NOT NULL CHECK (auto_approve IN (0, 1)),"
            " may_message_unlisted INTEGER NOT NULL CHECK (may_message_unlisted IN (0, 1)),"
            " sees_note INTEGER NOT NULL CHECK (sees_note IN (0, 1)),"
            " sees_rich_activity INTEGER NOT NULL CHECK (sees_rich_activity IN (0, 1)),"
            " description TEXT NOT NULL) STRICT;"
            "ALTER TABLE partner ADD COLUMN own_type TEXT NOT NULL DEFAULT '';"
            "UPDATE record_change SET"
            " before = replace(replace(replace(before,"
            "  '\"type\":\"FEDERATED\"', '\"type\":\"federated\"'),"
            "  '\"type\":\"PUBLIC_VERIFIED\"', '\"type\":\"public-verified\"'),"
            "  '\"type\":\"PUBLIC_UNVERIFIED\"', '\"type\":\"public-unverified\"'),"
            " after = replace(replace(replace(after,"
            "  '\"type\":\"FEDERATED\"', '\"type\":\"federated\"'),"
            "  '\"type\":\"PUBLIC_VERIFIED\"', '\"type\":\"public-verified\"'),"
            "  '\"type\":\"PUBLIC_UNVERIFIED\"', '\"type\":\"public-unverified\"')"
            " WHERE kind = 'partner'"},
};
static_assert(std::ranges::is_sorted(kUpgrades, {}, &Upgrade::version));
static_assert(kUpgrades.back().version == kSchemaVersion);

std::unexpected<Error> Refuse(const std::string& path, std::string_view why) {
  return Trouble(fmt::format("policy store '{}': {}", path, why));
}

// Of a database: the size of its pages is in the header, at octet 16, big-endian; 1 means 65536.
bool EndsWithinAPage(int fd, off_t size) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, 18> header{};
  const ssize_t read = ::pread(fd, header.data(), header.size(), 0);
  if (read != static_cast<ssize_t>(header.size())) return true;
  if (!std::string_view(header.data(), header.size()).starts_with(kMagic)) return false;
  const off_t page =
      static_cast<unsigned char>(header[16]) * 256 + static_cast<unsigned char>(header[17]);
  return page != 0 && size % (page == 1 ? 65536 : page) != 0;
}

std::unexpected<Error> RefuseToOpen(const std::string& path) {
  return Refuse(path, fmt::format("cannot be opened: {}; the state folder must exist and be "
                                  "writable for this user",
                                  std::strerror(errno)));
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Leaves errno as it was.
bool MayWriteFolderOf(const std::string& path) {
  const int before = errno;
  const bool may = ::faccessat(AT_FDCWD, FolderOf(path).c_str(), W_OK, AT_EACCESS) == 0;
  errno = before;
  return may;
}

// One that another user has put there, such as root a backup.
std::unexpected<Error> RefuseForOwner(const std::string& path) {
  return Refuse(path, fmt::format("is there, but this user may not write it; it must belong to the "
                                  "user gatehoused runs as: chown --reference={} {}",
                                  FolderOf(path), path));
}

// Of a file that is there: it could be a store, and it has the rights it shall have.
Result<void> PrepareFile(const std::string& path) {
  struct stat info{};
  std::error_code no_log;
  const auto log_bytes = std::filesystem::file_size(path + "-wal", no_log);
  const bool log = !no_log && log_bytes > 0;
  // SQLite would take such a file for a database not begun yet.
  if (::stat(path.c_str(), &info) == 0 && info.st_size < kSmallestDatabase)
    return Refuse(path, fmt::format("the file is empty or cut short; {}", kRemedy));
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == EACCES && MayWriteFolderOf(path)) return RefuseForOwner(path);
  if (fd < 0) return RefuseToOpen(path);
  // Where there is a log, it has what the file lacks.
  const bool cut = !log && EndsWithinAPage(fd, info.st_size);
  const bool done = ::fchmod(fd, kMode) == 0;
  ::close(fd);
  if (cut) return Refuse(path, fmt::format("the file is empty or cut short; {}", kRemedy));
  if (!done) return RefuseForOwner(path);
  return {};
}

std::string DefaultGatewayRow() {
  const proto::GatewaySettings settings = DefaultGatewaySettings();
  return fmt::format("INSERT INTO gateway VALUES (1, {}, {}, {}, {}, {}, {}, {:d})",
                     settings.connection_limit(), settings.partner_connection_limit(),
                     settings.keep_alive_interval_s(), settings.stream_establishment_timeout_s(),
                     settings.stream_inactivity_timeout_s(),
                     settings.subscription_refresh_interval_s(), settings.log_message_bodies());
}

// `version` of the file; 0: it is new.
Result<void> BringUpToDate(SqliteDatabase& database, int version) {
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database));
  if (version == 0) {
    GATEHOUSE_TRY_VOID(database.Run(kSchema));
    GATEHOUSE_TRY_VOID(database.Run(DefaultGatewayRow().c_str()));
  }
  for (const Upgrade& upgrade : kUpgrades)
    if (upgrade.version > version) GATEHOUSE_TRY_VOID(database.Run(upgrade.sql));
  GATEHOUSE_TRY_VOID(SealUpgraded(database));
  const std::string marks = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                        kApplicationId, kSchemaVersion);
  GATEHOUSE_TRY_VOID(database.Run(marks.c_str()));
  return transaction.Commit();
}

// 0: nothing is in it. Fails for one that is not ours or that we do not know.
Result<int> VersionOf(SqliteDatabase& database) {
  GATEHOUSE_TRY(const std::string application, database.One("PRAGMA application_id"));
  GATEHOUSE_TRY(const std::string version, database.One("PRAGMA user_version"));
  GATEHOUSE_TRY(const std::string tables, database.One("SELECT count(*) FROM sqlite_schema"));
  if (tables == "0") return 0;
  if (application != std::to_string(kApplicationId))
    return Trouble("is a database, but not a Gatehouse store; give another state folder");
  int found = 0;
  std::from_chars(version.data(), version.data() + version.size(), found);
  if (found >= 1 && found <= kSchemaVersion) return found;
  return Trouble(
      fmt::format("has schema version {}, this Gatehouse knows version {}; run the "
                  "version that wrote it",
                  version, kSchemaVersion));
}

Result<void> CheckSoundness(SqliteDatabase& database) {
  GATEHOUSE_TRY(const std::string verdict, database.One("PRAGMA integrity_check(1)"));
  if (verdict != "ok") return Trouble(verdict);
  GATEHOUSE_TRY(const std::string orphan, database.One("PRAGMA foreign_key_check"));
  if (!orphan.empty()) return Trouble(fmt::format("rows of table {} refer to nothing", orphan));
  // What would change or show other rows than were written.
  GATEHOUSE_TRY(const std::string strange,
                database.One("SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')"));
  if (!strange.empty())
    return Trouble(fmt::format("has the trigger or view '{}', which is not Gatehouse's", strange));
  return {};
}

Result<void> FillNewFile(const std::string& path, const std::function<void()>& still_busy) {
  GATEHOUSE_TRY(SqliteDatabase database, SqliteDatabase::Open(path));
  if (still_busy) database.OnProgress(still_busy);
  GATEHOUSE_TRY_VOID(database.Run(kSettings));
  return BringUpToDate(database, 0);
}

// Power loss must not take back the name that the file was given.
void SyncFolderOf(const std::string& path) {
  const int fd = ::open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

// Has its name only when it is complete: whoever is killed before leaves no store behind.
Result<void> MakeFile(const std::string& path, const std::function<void()>& still_busy) {
  const std::string fresh = path + kUnfinished;
  if (!CreatePrivateFile(fresh)) return RefuseToOpen(path);
  if (const auto filled = FillNewFile(fresh, still_busy); !filled)
    return Refuse(path, fmt::format("cannot be made: {}", filled.error().text));
  // The journal of a file that is gone would be played into this one.
  RemoveStoreFile(path);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return RefuseToOpen(path);
  SyncFolderOf(path);
  Log(LogLevel::kNotice, "policy-store-created", {{"path", path}});
  return {};
}

// A mark beside the store tells a first start from a store that was lost.
Result<void> CheckWasNeverMade(const std::string& path) {
  std::error_code failed;
  // An empty one, too, is of a life that did not end in order.
  if (std::filesystem::exists(path + "-wal", failed))
    return Refuse(path,
                  "the file is gone but its write-ahead log is still there; put the file "
                  "back, or remove the log and the '.made' to start with no partners");
  if (!std::filesystem::exists(path + kMade, failed)) return {};
  return Refuse(path, fmt::format("the file is gone, though it was made once; put it or a backup "
                                  "back, or remove '{}{}' to start with no partners",
                                  path, kMade));
}

Result<void> MarkAsMade(const std::string& path) {
  const std::string mark = path + kMade;
  const int fd = ::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (fd < 0) return RefuseToOpen(mark);
  ::close(fd);
  SyncFolderOf(path);
  return {};
}

Result<SqliteDatabase> OpenChecked(const std::string& path, std::function<void()> still_busy) {
  GATEHOUSE_TRY(SqliteDatabase database, SqliteDatabase::Open(path));
  database.OnProgress(std::move(still_busy));
  GATEHOUSE_TRY(const std::string mode, database.One("PRAGMA journal_mode = WAL"));
  if (mode != "wal") return Trouble("its folder allows no write-ahead log; use a local disk");
  GATEHOUSE_TRY_VOID(database.Run(kSettings));
  GATEHOUSE_TRY(const int version, VersionOf(database));
  // Before it is upgraded: what is damaged would be written anew as if it were right.
  if (version != 0) GATEHOUSE_TRY_VOID(CheckSoundness(database));
  if (version != kSchemaVersion) GATEHOUSE_TRY_VOID(BringUpToDate(database, version));
  database.EmptyLog();
  if (version != 0 && version != kSchemaVersion)
    Log(LogLevel::kNotice, "policy-store-upgraded",
        {{"path", path}, {"from", version}, {"to", kSchemaVersion}});
  return database;
}

}  // namespace

void RemoveStoreFile(const std::string& path) {
  for (const char* end : {"-wal", "-shm", "-journal", kMade, ""}) ::unlink((path + end).c_str());
}

Result<void> CreatePrivateFile(const std::string& path) {
  RemoveStoreFile(path);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (fd < 0) return Trouble(fmt::format("'{}': {}", path, std::strerror(errno)));
  ::close(fd);
  return {};
}

Result<SqliteDatabase> OpenStoreFile(const std::string& path, std::function<void()> still_busy) {
  struct stat info{};
  RemoveStoreFile(path + kUnfinished);
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) {
    GATEHOUSE_TRY_VOID(CheckWasNeverMade(path));
    GATEHOUSE_TRY_VOID(MakeFile(path, still_busy));
  }
  GATEHOUSE_TRY_VOID(PrepareFile(path));
  Result<SqliteDatabase> database = OpenChecked(path, std::move(still_busy));
  if (!database) return Refuse(path, fmt::format("{}; {}", database.error().text, kRemedy));
  GATEHOUSE_TRY_VOID(MarkAsMade(path));
  return database;
}

}  // namespace gatehouse::policy_engine
