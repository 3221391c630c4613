// What is wrong with a domain's records, by what resolvers say of them. Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/dnscheck/finding.h"
#include "core/dnscheck/zone_picture.h"

namespace gatehouse::dnscheck {

// `ours` null: the domain is a partner's, and what would fail is what we do (3.1). `domain` in
// A-label form.
[[nodiscard]] std::vector<Finding> JudgeZone(std::string_view domain, const ZonePicture& picture,
                                             const OurSide* ours);

// Of all resolvers that were asked: a finding that not all of them make names those that do, and
// where they tell different things of the same name that is a finding as well.
[[nodiscard]] std::vector<Finding> JudgePictures(std::string_view domain,
                                                 std::span<const ZonePicture> pictures,
                                                 const OurSide* ours);

}  // namespace gatehouse::dnscheck
