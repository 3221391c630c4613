#include "core/ctl/policy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

constexpr std::size_t kShownInList = 3;

// "domain contoso.example", "pattern sales-*@contoso.example", "ann@contoso.example".
std::vector<std::string> GrantTexts(const proto::AccessPolicy& policy) {
  std::vector<std::string> texts;
  for (const std::string& domain : policy.domains()) texts.push_back("domain " + domain);
  for (const std::string& pattern : policy.patterns()) texts.push_back("pattern " + pattern);
  for (const std::string& user : policy.users()) texts.push_back(user);
  return texts;
}

std::string GrantedTo(const proto::AccessPolicy& policy) {
  if (policy.name() == "global") return "everybody else";
  std::vector<std::string> texts = GrantTexts(policy);
  if (texts.empty()) return "nobody";
  const std::size_t more = texts.size() > kShownInList ? texts.size() - kShownInList : 0;
  texts.resize(texts.size() - more);
  std::string text = fmt::format("{}", fmt::join(texts, ", "));
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

const char* Access(const proto::AccessPolicy& policy) {
  return policy.xmpp_access() ? "true" : "false";
}

}  // namespace

std::string PolicyListText(const proto::AccessPolicies& policies) {
  TextTable table({"NAME", "XMPP ACCESS", "GRANTED TO", "DESCRIPTION"});
  for (const proto::AccessPolicy& policy : policies.policies())
    table.Add({policy.name(), Access(policy), GrantedTo(policy), policy.description()});
  return table.ToText();
}

std::string PolicyText(const proto::AccessPolicy& policy) {
  std::string text = fmt::format("{:<20}{}\n{:<20}{}\n", "name", Printable(policy.name()),
                                 "xmpp access", Access(policy));
  if (!policy.description().empty())
    text += fmt::format("{:<20}{}\n", "description", Printable(policy.description()));
  const std::vector<std::string> grants = GrantTexts(policy);
  if (grants.empty()) return text + fmt::format("{:<20}{}\n", "granted to", GrantedTo(policy));
  for (const std::string& grant : grants)
    text += fmt::format("{:<20}{}\n", "granted to", Printable(grant));
  return text;
}

}  // namespace gatehouse::ctl
