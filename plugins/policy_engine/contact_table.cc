#include "plugins/policy_engine/contact_table.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/policy/domain_pattern.h"
#include "core/tls/crypto.h"

namespace gatehouse::policy_engine {
namespace {

// How much of the time to live may pass before a new SUBSCRIBE is written down.
constexpr std::int64_t kSeenSteps = 32;

struct ContactName {
  std::string_view local;  // empty: the domain itself
  std::string_view domain;
};
ContactName Split(std::string_view contact) {
  const std::size_t at = contact.find('@');
  if (at == std::string_view::npos) return {{}, contact};
  return {contact.substr(0, at), contact.substr(at + 1)};
}
std::string Join(std::string_view local, std::string_view domain) {
  std::string contact(local);
  if (!local.empty()) contact += '@';
  contact += domain;
  return contact;
}

// Of all that a row says: its key could become another pair's by one bit, and blocked allowed.
std::int64_t GuardOf(const ContactRow& row) {
  const std::string said = std::to_string(static_cast<int>(row.mark)) + '\n' +
                           std::to_string(row.seen_unix) + '\n' + row.pair.sip_user + '\n';
  const Sha256Digest digest = Sha256Of({said, row.pair.contact});
  std::int64_t guard = 0;
  std::memcpy(&guard, digest.data(), sizeof guard);
  return guard;
}

// A kept statement that is in the middle of its rows would keep old pages of the file alive.
class Use {
 public:
  explicit Use(SqliteStatement& statement) : statement_(statement) { statement_.Reset(); }
  ~Use() { statement_.Reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  SqliteStatement* operator->() { return &statement_; }

 private:
  SqliteStatement& statement_;
};

}  // namespace

bool HasEnded(const ContactRow& row, const ContactClock& clock) {
  return row.mark != ContactMark::kBlocked && row.seen_unix <= clock.now_unix - clock.ttl_s;
}

Result<SqliteStatement*> ContactTable::Kept(SqliteDatabase& database,
                                            std::optional<SqliteStatement>& statement,
                                            std::string_view sql) {
  if (!statement) {
    GATEHOUSE_TRY(SqliteStatement prepared, database.Prepare(sql));
    statement.emplace(std::move(prepared));
  }
  return &*statement;
}

// Rows of domains that nobody has any more are no partner's.
Result<void> ContactTable::Count(SqliteDatabase& database) {
  if (counted_) return {};
  std::unordered_map<std::int64_t, std::int64_t> of_domain;
  GATEHOUSE_TRY(SqliteStatement rows, database.Prepare("SELECT domain_id FROM contact"));
  for (;;) {
    GATEHOUSE_TRY(const bool more, rows.Step());
    if (!more) break;
    ++of_domain[rows.Integer(0)];
  }
  counts_ = {};
  GATEHOUSE_TRY(SqliteStatement domains, database.Prepare("SELECT id, domain FROM contact_domain"));
  for (;;) {
    GATEHOUSE_TRY(const bool more, domains.Step());
    if (!more) break;
    const auto counted = of_domain.find(domains.Integer(0));
    if (counted == of_domain.end()) continue;
    GATEHOUSE_TRY(const std::string partner, PartnerOf(database, domains.Text(1)));
    counts_.Add(counted->first, partner, counted->second);
  }
  counts_.Keep();
  counted_ = true;
  return {};
}

Result<std::vector<std::pair<std::string, std::int64_t>>> ContactTable::CountsByDomain(
    SqliteDatabase& database) {
  GATEHOUSE_TRY_VOID(Count(database));
  GATEHOUSE_TRY(SqliteStatement domains, database.Prepare("SELECT id, domain FROM contact_domain"));
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (;;) {
    GATEHOUSE_TRY(const bool more, domains.Step());
    if (!more) return counts;
    const std::int64_t count = counts_.OfDomain(domains.Integer(0));
    if (count > 0) counts.emplace_back(domains.Text(1), count);
  }
}

Result<std::optional<ContactRow>> ContactTable::Find(SqliteDatabase& database,
                                                     const ContactPair& pair,
                                                     const ContactClock& clock) {
  GATEHOUSE_TRY(std::optional<ContactRow> row, Row(database, pair));
  if (!row || HasEnded(*row, clock)) return std::nullopt;
  return row;
}

Result<std::optional<ContactRow>> ContactTable::Row(SqliteDatabase& database,
                                                    const ContactPair& pair) {
  GATEHOUSE_TRY(SqliteStatement * kept,
                Kept(database, find_,
                     "SELECT mark, seen_unix, guard, guard IS NULL FROM contact"
                     " WHERE sip_user = ? AND local = ? AND"
                     " domain_id = (SELECT id FROM contact_domain WHERE domain = ?)"));
  Use select(*kept);
  const ContactName name = Split(pair.contact);
  select->Bind(1, pair.sip_user).Bind(2, name.local).Bind(3, name.domain);
  GATEHOUSE_TRY(const bool found, select->Step());
  if (!found) return std::nullopt;
  ContactRow row{pair, static_cast<ContactMark>(select->Integer(0)), select->Integer(1)};
  const bool has_guard = select->Integer(3) == 0;
  if (has_guard && select->Integer(2) != GuardOf(row))
    return Trouble("contact '" + pair.contact + "' of '" + pair.sip_user +
                   "' is damaged in the store; restore a copy");
  return row;
}

Result<EndedContacts> ContactTable::CountEnded(SqliteDatabase& database, std::string_view contact,
                                               const ContactClock& clock) {
  GATEHOUSE_TRY(const std::string partner, PartnerOf(database, Split(contact).domain));
  GATEHOUSE_TRY(SqliteStatement rows,
                database.Prepare("SELECT domain_id, mark <> ?1 AND seen_unix <= ?2 FROM contact"));
  rows.Bind(1, static_cast<std::int64_t>(ContactMark::kBlocked));
  rows.Bind(2, clock.now_unix - clock.ttl_s);
  EndedContacts ended;
  for (std::int64_t looked_at = 0; looked_at < kPortionOfACount; ++looked_at) {
    GATEHOUSE_TRY(const bool more, rows.Step());
    if (!more) return ended;
    if (rows.Integer(1) != 0 && counts_.IsOf(rows.Integer(0), partner)) ++ended.count;
  }
  ended.all = false;
  return ended;
}

Result<ContactTable::Seen> ContactTable::See(SqliteDatabase& database, const ContactPair& pair,
                                             const ContactClock& clock) {
  GATEHOUSE_TRY(const std::optional<ContactRow> row, Row(database, pair));
  const bool holds = row && !HasEnded(*row, clock);
  if (holds && row->mark == ContactMark::kBlocked) return Seen(row->mark);
  const std::int64_t step = clock.ttl_s / kSeenSteps;
  if (holds && std::abs(clock.now_unix - row->seen_unix) < step) return Seen(row->mark);
  const ContactMark mark = row ? row->mark : ContactMark::kLearned;
  GATEHOUSE_TRY(const auto refused, Write(database, {pair, mark, clock.now_unix}, !row));
  if (refused) return Seen(std::unexpected(*refused));
  return Seen(mark);
}

Result<std::string> ContactTable::PartnerOf(SqliteDatabase& database, std::string_view domain) {
  GATEHOUSE_TRY(
      SqliteStatement * kept,
      Kept(database, find_partner_, "SELECT partner_id FROM partner_domain WHERE domain = ?"));
  std::string named(domain);
  for (std::string_view rest = domain;;) {
    Use select(*kept);
    GATEHOUSE_TRY(const bool found, select->Bind(1, named).Step());
    if (found) return select->Text(0);
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return std::string();
    rest.remove_prefix(dot + 1);
    named = std::string(kBelow).append(rest);
  }
}

Result<std::int64_t> ContactTable::DomainId(SqliteDatabase& database, std::string_view domain) {
  GATEHOUSE_TRY(SqliteStatement * kept,
                Kept(database, find_domain_, "SELECT id FROM contact_domain WHERE domain = ?"));
  Use select(*kept);
  GATEHOUSE_TRY(const bool found, select->Bind(1, domain).Step());
  return found ? select->Integer(0) : 0;
}

Result<std::int64_t> ContactTable::AddDomain(SqliteDatabase& database, std::string_view domain) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO contact_domain (domain) VALUES (?) RETURNING id"));
  GATEHOUSE_TRY([[maybe_unused]] const bool made, insert.Bind(1, domain).Step());
  const std::int64_t id = insert.Integer(0);
  GATEHOUSE_TRY_VOID(insert.Run());
  return id;
}

Result<std::optional<NotNoted>> ContactTable::TakeRoom(SqliteDatabase& database,
                                                       std::string_view name, ContactMark mark,
                                                       std::int64_t& domain) {
  std::string partner;
  if (!counts_.Has(domain)) {
    GATEHOUSE_TRY(partner, PartnerOf(database, name));
    if (partner.empty()) return NotNoted::kNoPartner;
  }
  const std::int64_t held =
      partner.empty() ? counts_.OfPartnerWith(domain) : counts_.OfPartner(partner);
  if (mark != ContactMark::kBlocked && held >= most_of_a_partner_) return NotNoted::kNoRoom;
  if (domain == 0) {
    GATEHOUSE_TRY(domain, AddDomain(database, name));
  }
  counts_.Add(domain, partner);
  return std::nullopt;
}

Result<std::optional<NotNoted>> ContactTable::Put(SqliteDatabase& database, const ContactRow& row) {
  GATEHOUSE_TRY(const std::optional<ContactRow> before, Row(database, row.pair));
  return Write(database, row, !before);
}

Result<std::optional<NotNoted>> ContactTable::Write(SqliteDatabase& database, const ContactRow& row,
                                                    bool is_new) {
  const ContactName name = Split(row.pair.contact);
  GATEHOUSE_TRY(std::int64_t domain, DomainId(database, name.domain));
  if (is_new) {
    GATEHOUSE_TRY(const auto refused, TakeRoom(database, name.domain, row.mark, domain));
    if (refused) return refused;
  }
  domains_in_use_.insert(domain);
  GATEHOUSE_TRY(
      SqliteStatement * kept,
      Kept(database, put_,
           "INSERT INTO contact (sip_user, domain_id, local, mark, seen_unix, guard)"
           " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
           " mark = excluded.mark, seen_unix = excluded.seen_unix, guard = excluded.guard"));
  Use put(*kept);
  put->Bind(1, row.pair.sip_user).Bind(2, domain).Bind(3, name.local);
  put->Bind(4, static_cast<std::int64_t>(row.mark)).Bind(5, row.seen_unix);
  put->Bind(6, GuardOf(row));
  GATEHOUSE_TRY_VOID(put->Run());
  return std::nullopt;
}

// Runs what takes contacts away, and counts those.
Result<void> ContactTable::TakeOut(SqliteStatement& remove) {
  for (;;) {
    GATEHOUSE_TRY(const bool more, remove.Step());
    if (!more) return {};
    counts_.Remove(remove.Integer(0));
  }
}

Result<void> ContactTable::Forget(SqliteDatabase& database, const ContactPair& pair) {
  const ContactName name = Split(pair.contact);
  GATEHOUSE_TRY(SqliteStatement remove,
                database.Prepare("DELETE FROM contact WHERE sip_user = ? AND local = ? AND"
                                 " domain_id = (SELECT id FROM contact_domain WHERE domain = ?)"
                                 " RETURNING domain_id"));
  remove.Bind(1, pair.sip_user).Bind(2, name.local).Bind(3, name.domain);
  return TakeOut(remove);
}

Result<void> ContactTable::ReadOwners(SqliteDatabase& database, Owners& owners) {
  GATEHOUSE_TRY(SqliteStatement select, database.Prepare("SELECT domain FROM contact_domain"));
  for (;;) {
    GATEHOUSE_TRY(const bool more, select.Step());
    if (!more) return {};
    std::string domain = select.Text(0);
    GATEHOUSE_TRY(std::string partner, PartnerOf(database, domain));
    owners.emplace(std::move(domain), std::move(partner));
  }
}

Result<bool> ContactTable::ForgetMoved(SqliteDatabase& database, const Owners& before) {
  Owners now;
  GATEHOUSE_TRY_VOID(ReadOwners(database, now));
  GATEHOUSE_TRY(SqliteStatement remove,
                database.Prepare("DELETE FROM contact_domain WHERE domain = ? RETURNING id"));
  bool any = false;
  for (const auto& [domain, partner] : now) {
    const auto was = before.find(domain);
    if (!partner.empty() && was != before.end() && was->second == partner) continue;
    remove.Reset();
    GATEHOUSE_TRY([[maybe_unused]] const bool gone, remove.Bind(1, domain).Step());
    counts_.Drop(remove.Integer(0));
    any = true;
  }
  return any;
}

// "sip_user/domain_id/local": no bare address has a slash.
std::string ContactTable::WritePlace(const Key& key) {
  return key.sip_user + '/' + std::to_string(key.domain_id) + '/' + key.local;
}

// The start of the table for a text of nobody's making.
ContactTable::Key ContactTable::ReadPlace(const std::string& text) {
  const std::size_t first = text.find('/');
  if (first == std::string::npos) return {};
  const std::size_t second = text.find('/', first + 1);
  if (second == std::string::npos) return {};
  Key key{text.substr(0, first), 0, text.substr(second + 1)};
  std::from_chars(text.data() + first + 1, text.data() + second, key.domain_id);
  return key;
}

Result<ContactPage> ContactTable::List(SqliteDatabase& database, const ContactFilter& filter,
                                       const ContactClock& clock) {
  const Key after = filter.after.empty() ? Key{filter.sip_user, 0, {}} : ReadPlace(filter.after);
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT sip_user, domain_id, local, mark, seen_unix,"
                                 " (SELECT domain FROM contact_domain WHERE id = domain_id)"
                                 " FROM contact WHERE (sip_user, domain_id, local) > (?, ?, ?)"
                                 " ORDER BY sip_user, domain_id, local"));
  select.Bind(1, after.sip_user).Bind(2, after.domain_id).Bind(3, after.local);
  ContactPage page;
  for (std::size_t looked_at = 1;; ++looked_at) {
    GATEHOUSE_TRY(const bool found, select.Step());
    if (!found) return page;
    const std::string user = select.Text(0);
    if (!filter.sip_user.empty() && user != filter.sip_user) return page;
    const std::string domain = select.Text(5);  // empty: its partner was removed
    ContactRow row{{user, Join(select.Text(2), domain)},
                   static_cast<ContactMark>(select.Integer(3)),
                   select.Integer(4)};
    const bool wanted = !domain.empty() && (filter.ended || !HasEnded(row, clock)) &&
                        (filter.contact.empty() || filter.contact == row.pair.contact);
    if (wanted) page.rows.push_back(std::move(row));
    if (page.rows.size() < filter.limit && looked_at < kPortion) continue;
    page.next = WritePlace({user, select.Integer(1), select.Text(2)});
    return page;
  }
}

Result<void> ContactTable::Sweep(SqliteDatabase& database, const ContactClock& clock) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT sip_user, domain_id, local FROM contact"
                                 " WHERE (sip_user, domain_id, local) > (?, ?, ?)"
                                 " ORDER BY sip_user, domain_id, local LIMIT 1 OFFSET ?"));
  select.Bind(1, swept_to_.sip_user).Bind(2, swept_to_.domain_id).Bind(3, swept_to_.local);
  select.Bind(4, static_cast<std::int64_t>(kPortion - 1));
  GATEHOUSE_TRY(const bool more, select.Step());
  const Key to = more ? Key{select.Text(0), select.Integer(1), select.Text(2)} : Key{};
  std::string sql =
      "DELETE FROM contact WHERE (sip_user, domain_id, local) > (?1, ?2, ?3)"
      " AND (mark <> 2 AND seen_unix <= ?4"
      "  OR NOT EXISTS (SELECT 1 FROM contact_domain WHERE id = domain_id))";
  if (more) sql += " AND (sip_user, domain_id, local) <= (?5, ?6, ?7)";
  GATEHOUSE_TRY(SqliteStatement remove, database.Prepare(sql + " RETURNING domain_id"));
  remove.Bind(1, swept_to_.sip_user).Bind(2, swept_to_.domain_id).Bind(3, swept_to_.local);
  remove.Bind(4, clock.now_unix - clock.ttl_s);
  if (more) remove.Bind(5, to.sip_user).Bind(6, to.domain_id).Bind(7, to.local);
  GATEHOUSE_TRY_VOID(TakeOut(remove));
  GATEHOUSE_TRY_VOID(NoteDomains(database, swept_to_, more ? std::optional(to) : std::nullopt));
  if (!more && whole_round_) GATEHOUSE_TRY_VOID(RemoveEmptyDomains(database));
  if (!more) domains_in_use_.clear();
  whole_round_ = whole_round_ || !more;
  swept_to_ = to;
  return {};
}

void ContactTable::SweepAnew() {
  SweepFrom({});
}

void ContactTable::SweepFrom(const std::string& place) {
  swept_to_ = ReadPlace(place);
  whole_round_ = swept_to_.sip_user.empty();
  domains_in_use_.clear();
}

void ContactTable::BeginAnew() {
  SweepAnew();
  counted_ = false;
  counts_ = {};
}

// Those of the rows behind `from`, up to `to` or the last.
Result<void> ContactTable::NoteDomains(SqliteDatabase& database, const Key& from,
                                       const std::optional<Key>& to) {
  std::string sql =
      "SELECT DISTINCT domain_id FROM contact WHERE (sip_user, domain_id, local) > (?1, ?2, ?3)";
  if (to) sql += " AND (sip_user, domain_id, local) <= (?4, ?5, ?6)";
  GATEHOUSE_TRY(SqliteStatement select, database.Prepare(sql));
  select.Bind(1, from.sip_user).Bind(2, from.domain_id).Bind(3, from.local);
  if (to) select.Bind(4, to->sip_user).Bind(5, to->domain_id).Bind(6, to->local);
  for (;;) {
    GATEHOUSE_TRY(const bool found, select.Step());
    if (!found) return {};
    domains_in_use_.insert(select.Integer(0));
  }
}

// At the end of a round: a domain it has not come by has no contact.
Result<void> ContactTable::RemoveEmptyDomains(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement select, database.Prepare("SELECT id FROM contact_domain"));
  std::vector<std::int64_t> empty;
  for (;;) {
    GATEHOUSE_TRY(const bool found, select.Step());
    if (!found) break;
    if (!domains_in_use_.contains(select.Integer(0))) empty.push_back(select.Integer(0));
  }
  GATEHOUSE_TRY(SqliteStatement remove,
                database.Prepare("DELETE FROM contact_domain WHERE id = ?"));
  for (const std::int64_t id : empty) {
    remove.Reset();
    GATEHOUSE_TRY_VOID(remove.Bind(1, id).Run());
  }
  return {};
}

}  // namespace gatehouse::policy_engine
