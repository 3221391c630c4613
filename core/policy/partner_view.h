// A partner together with what its settings come to: what `partner get` and `partner explain` show.
#pragma once

#include "proto/ctl.pb.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// The permitted methods in order of preference, and the notes as "W1: ..." (4.2). No methods: the
// row is not valid and its one note is the refusal.
[[nodiscard]] proto::PartnerView ViewOf(const proto::Partner& partner);

}  // namespace gatehouse
