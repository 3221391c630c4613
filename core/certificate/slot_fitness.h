// Whether a certificate can be shown in a slot: to XMPP partners by 2.5, to SIP peers by 11.8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/certificate/certificate_chain.h"

namespace gatehouse {

enum class Slot : std::uint8_t { kXmpp, kSip };

struct FitnessQuestion {
  Slot slot = Slot::kXmpp;
  std::vector<std::string> domains;  // those we serve, A-labels
  std::string sip_host;              // SIP: the name our peers know this edge by; empty: not known
  std::int64_t now = 0;
  std::vector<std::string> revoked = {};  // SHA-256 in hex of those that a revocation list has
};

// A sentence each, with the remedy. Refusals: it must not be shown; warnings: it may.
struct Fitness {
  std::vector<std::string> refusals;
  std::vector<std::string> warnings;
};

[[nodiscard]] Fitness JudgeForSlot(const BuiltChain& chain, const FitnessQuestion& question);
// Why it can be shown in no slot whatever; the question's slot is not looked at. One of our names
// is enough here.
[[nodiscard]] std::vector<std::string> WhyInNoSlot(const BuiltChain& chain,
                                                   const FitnessQuestion& question);

}  // namespace gatehouse
