// The last things that were refused, so that an operator can ask why (`gatehousectl why`). Pure,
// bounded in partners and in refusals of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/policy/decide.h"
#include "core/policy/reasons.h"
#include "core/policy/traffic_kind.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

inline constexpr std::string_view kStreamKind = "stream";
// A SIP request of a method or with an extension that is not served.
inline constexpr std::string_view kRequestKind = "request";
// What a SIP user is told of a contact he watches.
inline constexpr std::string_view kWatchKind = "watch";

// Who stands behind a refusal, and who learns of it: none of these pushes out another's records.
enum class RefusalShelf : std::uint8_t {
  kTold,      // of a proven domain or of our own; somebody was told
  kDropped,   // of a proven domain; nobody was told
  kClaimed,   // of a stream that has proven nothing: anybody may have used the name
  kUnserved,  // a request that went no further, whatever policy says of it; somebody was told
};

struct RefusalNote {
  RefusalShelf shelf = RefusalShelf::kTold;
  std::string remote_domain = {};  // prepared; empty: it named none
  // Bare addresses; of a stream its two domains, or where the connection came from.
  std::string from = {}, to = {};
  std::string_view kind = {};  // static: KindName or one of those above
  Direction direction = Direction::kXmppToSip;
  Reason reason = Reason::kNone;
  std::string_view rule = {};    // static
  std::string_view answer = {};  // static; empty: nothing was told
  std::string_view about = {};   // static: which of several things that are otherwise the same
  std::string detail = {};       // of the reason; one line, maybe in the peer's words
  bool once_a_minute = false;    // told about a stanza, and the same all the same
};

class RefusalMemory {
 public:
  static constexpr std::size_t kPerPartner = 32;  // of each shelf
  static constexpr std::size_t kPartners = 256;   // of each shelf
  // Longer ones are cut, at a character: a peer may have written them.
  static constexpr std::size_t kMaxDetailBytes = 256;
  static constexpr std::size_t kMaxAddressBytes = 1024;
  static constexpr std::uint64_t kSameWithinMs = 60'000;
  // What `All` gives at most.
  static constexpr std::size_t kMaxListed = 200;

  struct Added {
    std::string id;
    bool is_new = true;
  };
  // Keeps it under `partner`, a primary domain; empty: all that are no partners share one place,
  // and those that named no domain another. Pushes out the oldest there, or the partner that was
  // refused nothing for the longest. Unless it was told about a stanza, or is to be so all the
  // same, the same thing within a minute is one record, with one id and its latest time.
  Added Add(std::string_view partner, RefusalNote note, std::uint64_t now_unix_ms);

  // The one with this id, or none.
  [[nodiscard]] proto::RefusalRecords Find(std::string_view id) const;
  // Those of a partner (its primary domain) or of a domain that is or was no partner's, newest
  // first.
  [[nodiscard]] proto::RefusalRecords Of(std::string_view partner) const;
  // The last ones of everybody, newest first.
  [[nodiscard]] proto::RefusalRecords All() const;

 private:
  struct Kept {
    RefusalNote note;
    std::string id;
    std::uint64_t at_unix_ms = 0;
  };
  using Notes = std::deque<Kept>;
  using Shelf = std::unordered_map<std::string, Notes>;  // by partner; none empty
  struct Seen {
    const std::string* partner;
    const Kept* kept;
  };
  static Notes& PlaceFor(Shelf& shelf, std::string_view partner);
  static proto::RefusalRecords NewestFirst(std::vector<Seen> seen, std::size_t most);

  std::array<Shelf, 4> shelves_;
};

}  // namespace gatehouse
