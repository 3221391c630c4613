// What operators said of contacts, "allowed" or "blocked": as `export --contacts` prints it and as
// `apply` makes it. Pairs that only SIP users made, by a SUBSCRIBE, are none of it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/yaml_reader.h"
#include "proto/ctl.pb.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::ctl {

// SIP user and contact, prepared.
using ContactPair = std::pair<std::string, std::string>;
// To "allowed" or "blocked".
using ContactMarks = std::map<ContactPair, std::string>;

// Adds the marks of a page to `marks`.
void TakeMarks(const proto::ContactViews& page, ContactMarks& marks);
[[nodiscard]] proto::ContactViews ViewsOf(const ContactMarks& marks);

// The section `contacts:` of a file. A mistake's key is "contacts[3].state"; it has no record.
struct FileMarks {
  ContactMarks marks;
  std::map<ContactPair, int> index;      // which element of the section it is
  std::vector<proto::Mistake> mistakes;  // an address, a state, a pair that is there twice
};
[[nodiscard]] FileMarks MarksOf(const proto::ContactViews& contacts, const YamlPlaces& places);
// Each user outside `served`, unless `present` has the very same mark of his, from when his domain
// was ours; each contact outside the domains of `data`'s partners.
[[nodiscard]] std::vector<proto::Mistake> StrangersIn(const FileMarks& file,
                                                      const proto::FederationData& data,
                                                      const std::vector<std::string>& served,
                                                      const ContactMarks& present);

// Each partner of `data` with more contacts in the file than one may have (12.5), at the first
// that is allowed. What users added by themselves counts too, but is not known here.
[[nodiscard]] std::vector<proto::Mistake> TooManyIn(const FileMarks& file,
                                                    const proto::FederationData& data);

// One mark that differs.
struct MarkChange {
  std::string sip_user;
  std::string contact;
  std::string before;  // its state; empty: it had none
  std::string after;   // empty: it is forgotten
};
// In the order they are to be made: what is blocked, what is forgotten, what is allowed.
[[nodiscard]] std::vector<MarkChange> Difference(const ContactMarks& before,
                                                 const ContactMarks& after);
[[nodiscard]] proto::ChangeView ChangeViewOf(const MarkChange& change);

// As many changes as one command may have, and far below what the engine takes at once.
inline constexpr std::size_t kMarksOfACommand = 1000;
// The command that makes the first of `changes`, from `begin` on: those of the same verb, at most
// kMarksOfACommand. Not empty unless `begin` is the end.
[[nodiscard]] proto::ContactChange CommandFrom(const std::vector<MarkChange>& changes,
                                               std::size_t begin);

}  // namespace gatehouse::ctl
