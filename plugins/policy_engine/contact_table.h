// Which XMPP contacts a SIP user has authorised (5.4): millions of rows in the store's file, none
// of them in a snapshot. Runs inside the transactions of its caller, who owns the database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plugins/policy_engine/contact_counts.h"
#include "plugins/policy_engine/sqlite_database.h"

namespace gatehouse::policy_engine {

// What a partner may have, in all its domains together (12.5). A contact that has ended counts until
// it is swept or forgotten; a blocked one counts, but is never refused: a block takes no right to
// anything.
inline constexpr std::int64_t kMaxContactsOfAPartner = 100'000;

// Two bare JIDs, prepared (6.2).
struct ContactPair {
  std::string sip_user;
  std::string contact;
  bool operator==(const ContactPair&) const = default;
};

enum class ContactMark : std::uint8_t {
  kLearned = 0,  // by a SUBSCRIBE of the SIP user
  kAllowed = 1,  // by an administrator
  kBlocked = 2,  // by an administrator; wins over every SUBSCRIBE and does not end by itself
};

struct ContactRow {
  ContactPair pair;
  ContactMark mark = ContactMark::kLearned;
  std::int64_t seen_unix = 0;  // the last SUBSCRIBE that was noted, or when an administrator spoke
  bool operator==(const ContactRow&) const = default;
};

// Why a contact is not in the table.
enum class NotNoted : std::uint8_t {
  kNoPartner,  // its domain is nobody's
  kNoRoom,     // it would be new, and its partner has as many as one may have
};
// A row that is not blocked and was not seen for `ttl_s` counts as absent, whether it was swept
// already or not.
struct ContactClock {
  std::int64_t now_unix = 0;
  std::int64_t ttl_s = 0;
};
[[nodiscard]] bool HasEnded(const ContactRow& row, const ContactClock& clock);

// How many of a partner's contacts have ended and are not swept yet.
struct EndedContacts {
  std::int64_t count = 0;
  bool all = true;  // false: there may be more
};

struct ContactFilter {
  std::string sip_user = {};  // empty: all
  std::string contact = {};   // empty: all
  bool ended = false;         // also what has ended and is not swept yet
  std::string after = {};     // ContactPage::next of the page before; else from the start
  std::size_t limit = 100;
};
struct ContactPage {
  std::vector<ContactRow> rows;  // by SIP user
  std::string next;              // empty: that was the end
};

class ContactTable {
 public:
  explicit ContactTable(std::int64_t most_of_a_partner = kMaxContactsOfAPartner)
      : most_of_a_partner_(most_of_a_partner) {}

  // The most rows that one call looks at, so that no call takes long.
  static constexpr std::size_t kPortion = 10'000;
  // The most that CountEnded looks at: a tenth of a second.
  static constexpr std::int64_t kPortionOfACount = 300'000;
  // A domain has a number, so that a row is short and a domain's rows can be made void by one
  // deletion; numbers are never given twice. An empty local part is the domain itself.
  static constexpr const char* kSchema =
      "CREATE TABLE contact_domain ("
      " id INTEGER PRIMARY KEY AUTOINCREMENT,"
      " domain TEXT NOT NULL UNIQUE"
      ") STRICT;"
      "CREATE TABLE contact ("
      " sip_user TEXT NOT NULL,"
      " domain_id INTEGER NOT NULL,"
      " local TEXT NOT NULL,"
      " mark INTEGER NOT NULL CHECK (mark IN (0, 1, 2)),"
      " seen_unix INTEGER NOT NULL,"
      " PRIMARY KEY (sip_user, domain_id, local)"
      ") STRICT, WITHOUT ROWID;";

  // Nothing where there is no row, or none that still counts.
  Result<std::optional<ContactRow>> Find(SqliteDatabase& database, const ContactPair& pair,
                                         const ContactClock& clock);
  // The same of a row that has ended, too.
  Result<std::optional<ContactRow>> Row(SqliteDatabase& database, const ContactPair& pair);
  // Of the partner whose the contact's domain is.
  Result<EndedContacts> CountEnded(SqliteDatabase& database, std::string_view contact,
                                   const ContactClock& clock);
  // Counts the contacts of every partner, once: a walk of the whole table. To be called before the
  // first change of contacts in a transaction; what is changed until then is not counted either.
  Result<void> Count(SqliteDatabase& database);
  // Of each domain that has some.
  Result<std::vector<std::pair<std::string, std::int64_t>>> CountsByDomain(
      SqliteDatabase& database);
  [[nodiscard]] std::int64_t most_of_a_partner() const { return most_of_a_partner_; }
  // How the transaction of the calls before has ended.
  void Keep() { counts_.Keep(); }
  void TakeBack() { counts_.TakeBack(); }
  using Seen = std::expected<ContactMark, NotNoted>;
  // A SUBSCRIBE: learns the pair, or makes it seen now. What is blocked stays as it is, and what an
  // administrator allowed stays allowed, even where it has ended: by a clock that may be wrong. A
  // new time is written after a 32nd of the time to live only.
  //   gives  what holds from now on, or why nothing was written
  Result<Seen> See(SqliteDatabase& database, const ContactPair& pair, const ContactClock& clock);
  //   gives  why nothing was written
  Result<std::optional<NotNoted>> Put(SqliteDatabase& database, const ContactRow& row);
  Result<void> Forget(SqliteDatabase& database, const ContactPair& pair);
  // The id of the partner whose a domain (or a wildcard) is: by its name, else by the narrowest
  // "*." it is below. Empty: nobody's.
  Result<std::string> PartnerOf(SqliteDatabase& database, std::string_view domain);
  // Whose the domains of contacts are now, by domain: the partner's id, empty for nobody's.
  using Owners = std::unordered_map<std::string, std::string>;
  Result<void> ReadOwners(SqliteDatabase& database, Owners& owners);
  // All contacts in domains that are nobody's, or not whose they were `before`, in one walk; Sweep
  // clears away what is left of them.
  //   gives  true where there may have been some
  Result<bool> ForgetMoved(SqliteDatabase& database, const Owners& before);
  // May give a page shorter than the limit, even an empty one, that has a next one.
  Result<ContactPage> List(SqliteDatabase& database, const ContactFilter& filter,
                           const ContactClock& clock);
  // Takes out what has ended among the next rows, and after the last the domains that no contact
  // is of, for there is no end of them below a wildcard; then begins anew. Where it fails, or its
  // transaction, SweepAnew must be called: this round has not seen what it believes it has.
  Result<void> Sweep(SqliteDatabase& database, const ContactClock& clock);
  // The next call begins at the first row: the last one was not written.
  void SweepAnew();
  // It begins behind this row, which swept_to() of a process before gave. Domains that no contact
  // is of stay until the round after.
  void SweepFrom(const std::string& place);
  [[nodiscard]] std::string swept_to() const { return WritePlace(swept_to_); }
  // The table has been replaced by another.
  void BeginAnew();

 private:
  struct Key {
    std::string sip_user;
    std::int64_t domain_id = 0;
    std::string local;
  };
  static std::string WritePlace(const Key& key);
  static Key ReadPlace(const std::string& text);
  static Result<SqliteStatement*> Kept(SqliteDatabase& database,
                                       std::optional<SqliteStatement>& statement,
                                       std::string_view sql);
  Result<std::optional<NotNoted>> Write(SqliteDatabase& database, const ContactRow& row,
                                        bool is_new);
  // 0: there is none.
  Result<std::int64_t> DomainId(SqliteDatabase& database, std::string_view domain);
  static Result<std::int64_t> AddDomain(SqliteDatabase& database, std::string_view domain);
  // Counts a contact that is new in the domain with this number, which is made where it is 0.
  Result<std::optional<NotNoted>> TakeRoom(SqliteDatabase& database, std::string_view name,
                                           ContactMark mark, std::int64_t& domain);

  Result<void> TakeOut(SqliteStatement& remove);
  Result<void> NoteDomains(SqliteDatabase& database, const Key& from, const std::optional<Key>& to);
  Result<void> RemoveEmptyDomains(SqliteDatabase& database);

  std::int64_t most_of_a_partner_;
  ContactCounts counts_;
  bool counted_ = false;
  std::optional<SqliteStatement> find_;
  std::optional<SqliteStatement> find_domain_;
  std::optional<SqliteStatement> find_partner_;
  std::optional<SqliteStatement> put_;
  Key swept_to_;
  bool whole_round_ = true;  // it began at the first row
  // Of contacts that this round of sweeping has come by, or that were written meanwhile. Complete
  // at the end of a round only because each begins at the first row.
  std::unordered_set<std::int64_t> domains_in_use_;
};

}  // namespace gatehouse::policy_engine
