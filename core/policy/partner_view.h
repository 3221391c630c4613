// A partner together with what its settings come to: what `partner get` and `partner explain` show.
#pragma once

#include "proto/ctl.pb.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// The row, its permitted methods in order of preference, the notes as "W1: ..." (4.2), and what
// happens in both directions. No methods: the row is not valid and its one note is the refusal.
[[nodiscard]] proto::PartnerView ViewOf(const proto::Partner& partner);

}  // namespace gatehouse
