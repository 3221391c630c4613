// The last streams of each partner, for `partner explain`. In memory only: an engine that starts
// anew knows of none.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "proto/stream_record.pb.h"

namespace gatehouse::policy_engine {

class StreamMemory {
 public:
  // Kept of each partner.
  static constexpr std::size_t kKept = 8;

  void Add(proto::StreamRecord record);
  void Forget(std::string_view partner_id);
  // Newest first.
  [[nodiscard]] const std::deque<proto::StreamRecord>& Of(std::string_view partner_id) const;

 private:
  std::map<std::string, std::deque<proto::StreamRecord>, std::less<>> by_partner_;
  const std::deque<proto::StreamRecord> none_;
};

}  // namespace gatehouse::policy_engine
