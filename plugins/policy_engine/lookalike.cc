#include "plugins/policy_engine/lookalike.h"

#include <fmt/format.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <memory>

#include "core/base/result.h"
#include "core/policy/domain_pattern.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kLookalikeRemedy =
    "if it is meant, give --allow-lookalike; else write the one you mean";

struct CloseChecker {
  void operator()(USpoofChecker* checker) const noexcept { uspoof_close(checker); }
};
using Checker = std::unique_ptr<USpoofChecker, CloseChecker>;

// The checker's data is part of ICU: without it nothing here has a domain prepared either.
Checker NewChecker() {
  UErrorCode code = U_ZERO_ERROR;
  Checker checker(uspoof_open(&code));
  GATEHOUSE_CHECK(U_SUCCESS(code));
  // One script a label, or what Japanese, Chinese and Korean write together with Latin.
  uspoof_setChecks(checker.get(), USPOOF_RESTRICTION_LEVEL, &code);
  uspoof_setRestrictionLevel(checker.get(), USPOOF_HIGHLY_RESTRICTIVE);
  GATEHOUSE_CHECK(U_SUCCESS(code));
  return checker;
}

const USpoofChecker* TheChecker() {
  static const Checker checker = NewChecker();
  return checker.get();
}

std::string Skeleton(std::string_view domain) {
  std::string skeleton(domain.size() * 4 + 16, '\0');
  UErrorCode code = U_ZERO_ERROR;
  const auto fill = [&] {
    code = U_ZERO_ERROR;
    return uspoof_getSkeletonUTF8(TheChecker(), 0, domain.data(),
                                  static_cast<std::int32_t>(domain.size()), skeleton.data(),
                                  static_cast<std::int32_t>(skeleton.size()), &code);
  };
  std::int32_t size = fill();
  if (code == U_BUFFER_OVERFLOW_ERROR) {
    skeleton.resize(static_cast<std::size_t>(size) + 1);
    size = fill();
  }
  if (U_FAILURE(code)) return std::string(domain);
  skeleton.resize(static_cast<std::size_t>(size));
  return skeleton;
}

bool MixesScripts(std::string_view label) {
  UErrorCode code = U_ZERO_ERROR;
  const std::int32_t found = uspoof_checkUTF8(
      TheChecker(), label.data(), static_cast<std::int32_t>(label.size()), nullptr, &code);
  return U_FAILURE(code) || (found & USPOOF_RESTRICTION_LEVEL) != 0;
}

std::string_view MixedLabelOf(std::string_view domain) {
  while (!domain.empty()) {
    const std::size_t dot = std::min(domain.find('.'), domain.size());
    if (MixesScripts(domain.substr(0, dot))) return domain.substr(0, dot);
    domain.remove_prefix(std::min(dot + 1, domain.size()));
  }
  return {};
}

}  // namespace

Lookalikes::Lookalikes(const std::vector<std::string>& known) {
  for (const std::string& domain : known) Add(domain);
}

void Lookalikes::Add(std::string_view domain) {
  domain = BaseOf(domain);
  if (known_.emplace(domain).second) by_skeleton_.emplace(Skeleton(domain), domain);
}

void Lookalikes::Add(const proto::Partner& partner) {
  Add(partner.domain());
  for (const std::string& domain : partner.additional_domains()) Add(domain);
}

std::string Lookalikes::WhyLike(std::string_view domain) const {
  domain = BaseOf(domain);
  if (const std::string_view label = MixedLabelOf(domain); !label.empty())
    return fmt::format("domain '{}' mixes scripts in '{}'; {}", domain, label, kLookalikeRemedy);
  if (known_.contains(std::string(domain))) return {};
  const auto like = by_skeleton_.find(Skeleton(domain));
  if (like == by_skeleton_.end()) return {};
  return fmt::format("domain '{}' looks like '{}'; {}", domain, like->second, kLookalikeRemedy);
}

}  // namespace gatehouse::policy_engine
