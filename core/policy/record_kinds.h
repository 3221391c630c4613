// The kinds of records the federation data consists of. A further kind costs a field in each
// message of proto/federation_data.proto, a row here, its table in plugins/policy_engine/
// record_rows.cc and its rules in plugins/policy_engine/data_rules.cc; revisions, diff, rollback,
// export and apply then have it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/federation_data.pb.h"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace gatehouse {

struct RecordKind {
  int number;                              // of its field in FederationData and in Record
  std::string_view key;                    // the field that names a record; empty: there is one
  std::span<const std::string_view> kept;  // fields the engine keeps by itself: in no file, no diff
  void (*defaults)(proto::Record& record);  // what a new record has where nothing is said
  // Lists that are sets, in order and maybe long, of a record of this kind: the audit keeps what a
  // change adds to them and takes from them. Null: it has none.
  std::vector<google::protobuf::RepeatedPtrField<std::string>*> (*sets)(proto::Record& record);
};

[[nodiscard]] std::span<const RecordKind> RecordKinds();
// Null for a record that is empty or of a kind without revisions.
[[nodiscard]] const RecordKind* FindKind(const proto::Record& record);
// "partner"; "" for an empty record.
[[nodiscard]] std::string_view KindWord(const proto::Record& record);
// "partner.example"; "" where there is one record only.
[[nodiscard]] std::string KeyOf(const proto::Record& record);
// The one message in a record that is not empty.
[[nodiscard]] const google::protobuf::Message& BodyOf(const proto::Record& record);
[[nodiscard]] google::protobuf::Message& BodyOf(proto::Record& record);
// Whether the field is one that the engine keeps by itself.
[[nodiscard]] bool IsKept(const RecordKind& kind, const google::protobuf::FieldDescriptor& field);

}  // namespace gatehouse
