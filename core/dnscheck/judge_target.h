// What is wrong with one host an SRV record names. Used by judge_zone.cc.
#pragma once

#include <string_view>
#include <vector>

#include "core/dnscheck/finding.h"
#include "core/dnscheck/zone_picture.h"

namespace gatehouse::dnscheck {

struct TargetQuestion {
  std::string_view domain;
  std::string_view service;  // the name of the SRV record
  SrvRecord record;
  const ZonePicture& picture;
  const OurSide* ours;                          // null: a partner's
  const std::vector<SocketAddress>* listening;  // of that service; null where `ours` is
};

// That of `addresses`, one at least, nobody can say whose they are.
[[nodiscard]] std::string NotJudgedText(const std::vector<SocketAddress>& addresses);

[[nodiscard]] std::vector<Finding> JudgeTarget(const TargetQuestion& question);

}  // namespace gatehouse::dnscheck
