// Answers "a snapshot other than the one I hold?": at once when there is one, else when there is.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

class Publication {
 public:
  // Called once per question with a serialised PolicyAnswer or an error, now or later.
  using Reply = std::function<void(Result<std::string>)>;

  // A snapshot of the same hash changes nothing.
  void Publish(const proto::PolicySnapshot& snapshot);
  // Holds one question per instance: a newer one means that the older has passed its deadline.
  void Ask(std::string_view instance, std::string_view held_hash, Reply reply);
  // Lets every open question go.
  void Close();
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  std::string hash_;
  std::string answer_;  // serialised once, sent to all; empty before the first
  std::map<std::string, Reply, std::less<>> waiting_;
};

}  // namespace gatehouse::policy_engine
