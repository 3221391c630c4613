// The contacts of one `apply`, of which there may be more than memory should hold, in a file of
// their own beside the store: what the operator's file says, and what of it differs. Good for one
// process only; where a call fails, throw it away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/policy_engine/contact_table.h"
#include "plugins/policy_engine/sqlite_database.h"

namespace gatehouse::policy_engine {

// Whether somebody may, or not, or nothing is said of him any more; in the order they are to be
// made: what closes before what opens.
enum class PlanVerb : std::uint8_t { kBlock = 0, kForget = 1, kAllow = 2 };

// An element of the section `contacts:`.
struct PlannedMark {
  ContactPair pair;
  ContactMark mark = ContactMark::kAllowed;  // or kBlocked
  std::int64_t index = 0;                    // in the section
};
struct PlannedChange {
  PlanVerb verb = PlanVerb::kForget;
  ContactPair pair;
  std::optional<ContactMark> before;  // what an operator had said
};

class PlanFile {
 public:
  // Makes the file anew, for this user alone.
  static Result<PlanFile> Create(const std::string& path);
  PlanFile(PlanFile&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        database_(std::move(other.database_)),
        statements_(std::move(other.statements_)) {}
  PlanFile& operator=(PlanFile&&) = delete;
  ~PlanFile();

  // What is done between the two is one step for the disk.
  Result<void> Begin() { return database_.Run("BEGIN"); }
  Result<void> End() { return database_.Run("COMMIT"); }

  //   gives  the index of the one that is there already; nothing: it is a new one
  Result<std::optional<std::int64_t>> Add(const PlannedMark& mark);
  Result<bool> Has(const ContactPair& pair);
  // The next after `after` by SIP user and contact.
  Result<std::vector<PlannedMark>> Marks(const ContactPair& after, std::size_t limit);
  Result<void> ForgetChanges() { return database_.Run("DELETE FROM change"); }
  Result<void> AddChange(const PlannedChange& change);
  // The next in their order; nothing: from the first on.
  Result<std::vector<PlannedChange>> Changes(const std::optional<PlannedChange>& after,
                                             std::size_t limit);

 private:
  PlanFile(std::string path, SqliteDatabase database)
      : path_(std::move(path)), database_(std::move(database)) {}
  Result<void> Prepare();

  std::string path_;  // empty: of one that was moved from
  SqliteDatabase database_;
  std::vector<SqliteStatement> statements_;
};

}  // namespace gatehouse::policy_engine
