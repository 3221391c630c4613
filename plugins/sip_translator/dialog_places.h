// How many notification dialogs there may be, of one SIP user and of all (12.3 S18). A place is
// taken before the policy engine is asked, so that no burst passes a limit while it thinks. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "core/base/result.h"

namespace gatehouse::translator {

struct DialogLimits {
  std::size_t all = 100'000;
  std::size_t of_a_user = 1000;
};

class DialogPlaces {
 public:
  explicit DialogPlaces(DialogLimits limits) : limits_(limits) {}

  // A place for one dialog of `user` (bare JID), who keeps it until GiveBack.
  //   fails  with words that say which limit is reached
  Result<void, std::string> Take(const std::string& user);
  // Once for each that was taken.
  void GiveBack(const std::string& user);
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  DialogLimits limits_;
  std::size_t taken_ = 0;
  std::unordered_map<std::string, std::size_t> of_user_;  // none with 0
};

}  // namespace gatehouse::translator
