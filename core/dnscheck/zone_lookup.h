// Asks a resolver for all that a check of a domain needs.
#pragma once

#include <string_view>

#include "core/dnscheck/zone_picture.h"

namespace gatehouse::dnscheck {

// Returns when all is answered or has failed; a silent resolver takes some seconds a round.
// `resolver` as DnsSections::Create takes it.
//   fails  kConfig: `resolver` is no address
Result<ZonePicture> LookUpZone(const std::string& resolver, std::string_view domain);

}  // namespace gatehouse::dnscheck
