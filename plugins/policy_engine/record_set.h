// The federation data as records by kind and key: compared, and taken back in time.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

using RecordSet = std::map<std::pair<int, std::string>, proto::Record>;  // by kind's number and key

[[nodiscard]] RecordSet RecordsOf(const proto::FederationData& data);
[[nodiscard]] proto::FederationData DataOf(const RecordSet& records);
// The same without what the engine keeps by itself.
[[nodiscard]] proto::FederationData WithoutKept(proto::FederationData data);
// What makes `to` of `from`. What the engine keeps by itself does not count and is `from`'s; a new
// record that has an id gets one.
[[nodiscard]] std::vector<proto::RecordChange> Difference(const RecordSet& from, RecordSet to);
// Of a new record.
[[nodiscard]] std::string NewRecordId();
// In the place of the one of its kind and key, or as a new one.
void PutIn(const proto::Record& record, RecordSet& records);
// Leaves in the sets of a record that was there and stays only what the change takes away (before)
// and what it adds (after): so one grant among thousands is a short change.
void KeepDifference(proto::RecordChange& change);
// Makes undone what `changes` did, whether KeepDifference was used on them or not.
//   fails  kTrouble where `records` cannot be what the changes led to; it is good for nothing then
Result<void> TakeBack(std::span<const proto::RecordChange> changes, RecordSet& records);

}  // namespace gatehouse::policy_engine
