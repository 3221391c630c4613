// What a file of `apply` makes of the contacts (5.4, 12.5): taken in part by part, then every rule
// checked and compared with the store portion by portion, before anything of the file is made. The
// store may learn contacts meanwhile; where it was changed otherwise, compare from the start.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/policy/policy_view.h"
#include "plugins/policy_engine/data_limits.h"
#include "plugins/policy_engine/plan_file.h"
#include "plugins/policy_engine/store.h"
#include "proto/ctl.pb.h"

namespace gatehouse::policy_engine {

// What the records will be when the contacts are made.
struct PlanTarget {
  const proto::FederationData& now;
  const proto::FederationData& then;
  const std::vector<std::string>& served;  // prepared
  const std::vector<std::string>& blocked_domains;
  const DataLimits& limits;
};

class ContactPlan {
 public:
  // How many contacts one call looks at, or gives: a tenth of a second.
  static constexpr std::size_t kCompared = 2000;
  static constexpr std::size_t kGiven = 1000;
  // As many octets of addresses as a file of `apply` can have.
  static constexpr std::size_t kMostOctets = std::size_t{64} * 1024 * 1024;

  // `path` is for a file of the plan's own, which goes with it.
  static Result<ContactPlan> Create(const std::string& path, std::uint64_t number);
  [[nodiscard]] std::uint64_t number() const { return number_; }

  using Mistakes = std::vector<proto::Mistake>;
  // The next elements of the section `contacts:`.
  //   gives  what is wrong with them: an address, a state, a pair that was there before
  //   fails  kConfig: too many of them, or the comparison has begun; kTrouble
  Result<Mistakes> Add(const google::protobuf::RepeatedPtrField<proto::ContactView>& contacts);

  // The comparison begins, from the start: against `store` as it is now, once it has `target`.
  Result<void> BeginComparing(const PlanTarget& target);
  // A portion of it.
  //   gives  what is wrong: a user who is not ours, unless that very mark of his is there; a
  //   contact that is nobody's; and at the end a partner with more than it may have, learned ones
  //   and what has ended among them, too many domains of blocked ones, or too many that differ
  Result<Mistakes> Compare(Store& store, const ContactClock& clock);
  [[nodiscard]] bool IsCompared() const { return step_ == Step::kCompared; }
  // No mistake was found, neither in the parts nor by the comparison, which is done.
  [[nodiscard]] bool IsGood() const { return IsCompared() && !has_mistakes_; }
  [[nodiscard]] std::uint64_t differ() const { return differ_; }

  // The next that differ, at most kGiven.
  Result<std::vector<PlannedChange>> Next();
  // Whether all of them were given since the last Rewind.
  [[nodiscard]] bool IsShown() const { return given_count_ >= differ_; }
  void Rewind();

 private:
  enum class Step : std::uint8_t { kTaking, kFile, kStore, kCompared };
  // Whose a domain will be.
  struct Owner {
    std::string partner;  // its primary domain; empty: nobody's
    bool moves = false;   // it is somebody else's now: the contacts there are forgotten with that
  };
  struct Tally {
    std::int64_t in_file = 0;
    std::int64_t more = 0;                      // rows that come, without those that go
    std::int64_t ended = 0;                     // and are there yet
    std::optional<std::int64_t> first_allowed;  // the lowest index of those that need a place
  };
  ContactPlan(std::uint64_t number, PlanFile file) : number_(number), file_(std::move(file)) {}

  const Owner& OwnerOf(const std::string& domain);
  Result<void> CompareFile(Store& store, const ContactClock& clock, Mistakes& mistakes);
  Result<void> CompareMark(Store& store, const PlannedMark& mark, const ContactClock& clock,
                           Mistakes& mistakes);
  Result<void> CompareStore(Store& store, const ContactClock& clock);
  Result<void> CheckRooms(Store& store, Mistakes& mistakes);
  Result<void> Differs(const PlannedChange& change);

  std::uint64_t number_;
  PlanFile file_;
  Step step_ = Step::kTaking;
  bool has_mistakes_ = false;
  std::int64_t taken_ = 0;  // elements
  std::size_t octets_ = 0;
  bool has_wrong_parts_ = false;
  // --- of the comparison
  std::unique_ptr<const PolicyView> now_;  // of nothing but the partners
  std::unique_ptr<const PolicyView> then_;
  std::vector<std::string> served_;
  std::set<std::string> blocked_domains_;
  std::size_t record_octets_ = 0;
  DataLimits limits_;
  ContactPair compared_to_;
  std::string store_compared_to_;
  std::unordered_map<std::string, Owner> owners_;
  std::map<std::string, Tally> tallies_;
  std::optional<std::int64_t> first_block_;
  std::uint64_t differ_ = 0;
  std::optional<PlannedChange> given_;  // the last
  std::uint64_t given_count_ = 0;
};

}  // namespace gatehouse::policy_engine
