#include "plugins/sip_translator/dialog_places.h"

namespace gatehouse::translator {

Result<void, std::string> DialogPlaces::Take(const std::string& user) {
  if (taken_ >= limits_.all)
    return std::unexpected("too many subscriptions of all users, at most " +
                           std::to_string(limits_.all));
  const auto of_user = of_user_.find(user);
  if (of_user != of_user_.end() && of_user->second >= limits_.of_a_user)
    return std::unexpected("too many subscriptions of this user, at most " +
                           std::to_string(limits_.of_a_user));
  ++taken_;
  ++of_user_[user];
  return {};
}

void DialogPlaces::GiveBack(const std::string& user) {
  const auto of_user = of_user_.find(user);
  GATEHOUSE_CHECK(of_user != of_user_.end());
  if (--of_user->second == 0) of_user_.erase(of_user);
  --taken_;
}

}  // namespace gatehouse::translator
