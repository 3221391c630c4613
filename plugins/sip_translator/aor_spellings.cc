#include "plugins/sip_translator/aor_spellings.h"

#include <algorithm>
#include <utility>

namespace gatehouse::translator {
namespace {

// "Ann" of "sip:Ann@corp.example;x=y"; empty without one.
std::string_view UserPart(std::string_view uri) {
  const auto colon = uri.find(':');
  const auto at = uri.find('@');
  if (colon == std::string_view::npos || at == std::string_view::npos || at <= colon) return {};
  return uri.substr(colon + 1, at - colon - 1);
}

// Preparation changes upper case only in ways that matter here when ASCII upper case or a percent
// form is in it.
bool MayDiffer(std::string_view user) {
  return std::ranges::any_of(user, [](char c) { return (c >= 'A' && c <= 'Z') || c == '%'; });
}

}  // namespace

void AorSpellings::Learn(const Jid& jid, std::string_view uri) {
  const std::string_view user = UserPart(uri);
  const bool differs = MayDiffer(user);
  if (user.empty() || (!differs && user_parts_.empty())) return;
  std::string bare = jid.Bare();
  if (!differs) {
    user_parts_.erase(bare);
    return;
  }
  if (user_parts_.size() >= kMaxUsers && !user_parts_.contains(bare))
    user_parts_.erase(user_parts_.begin());
  user_parts_.insert_or_assign(std::move(bare), std::string(user));
}

std::string AorSpellings::Spell(std::string_view bare, std::string canonical) const {
  const auto found = user_parts_.find(bare);
  if (found == user_parts_.end()) return canonical;
  return "sip:" + found->second + canonical.substr(canonical.find('@'));
}

}  // namespace gatehouse::translator
