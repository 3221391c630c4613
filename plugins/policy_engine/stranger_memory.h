// Unlisted domains that wanted a stream, until an operator accepts or refuses them (gateway set
// --discover). In memory only: an engine that starts anew knows of none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/stream_record.pb.h"

namespace gatehouse::policy_engine {

class StrangerMemory {
 public:
  // More than an operator looks through; the one that knocked longest ago leaves.
  static constexpr std::size_t kKept = 256;

  // Knocks of a domain that is known add up; what is newer replaces the rest.
  void Add(proto::Stranger stranger);
  // False: it is not there.
  bool Forget(std::string_view domain);
  void Clear() { by_domain_.clear(); }
  [[nodiscard]] const proto::Stranger* Find(std::string_view domain) const;
  // The last to knock first.
  [[nodiscard]] std::vector<proto::Stranger> All() const;

 private:
  std::map<std::string, proto::Stranger, std::less<>> by_domain_;
};

}  // namespace gatehouse::policy_engine
