#include "plugins/policy_engine/record_set.h"

#include <google/protobuf/message.h>

#include "core/policy/record_kinds.h"
#include "core/tls/crypto.h"

namespace gatehouse::policy_engine {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kIdBytes = 8;

const FieldDescriptor& FieldOf(const Message& message, int number) {
  return *message.GetDescriptor()->FindFieldByNumber(number);
}

std::pair<int, std::string> PlaceOf(const proto::Record& record) {
  return {static_cast<int>(record.body_case()), KeyOf(record)};
}

// The fields the engine keeps by itself.
std::vector<const FieldDescriptor*> KeptOf(const RecordKind& kind, const Message& body) {
  std::vector<const FieldDescriptor*> fields;
  for (const std::string_view name : kind.kept)
    fields.push_back(body.GetDescriptor()->FindFieldByName(std::string(name)));
  return fields;
}

void TakeKept(const proto::Record& from, proto::Record& to) {
  Message& body = BodyOf(to);
  proto::Record copy = from;
  body.GetReflection()->SwapFields(&body, &BodyOf(copy), KeptOf(*FindKind(from), body));
}

void GiveId(proto::Record& record) {
  Message& body = BodyOf(record);
  for (const FieldDescriptor* field : KeptOf(*FindKind(record), body))
    if (field->name() == "id" && body.GetReflection()->GetString(body, field).empty())
      body.GetReflection()->SetString(&body, field, NewRecordId());
}

proto::RecordChange ChangeOf(const proto::Record* before, const proto::Record* after) {
  proto::RecordChange change;
  if (before != nullptr) *change.mutable_before() = *before;
  if (after != nullptr) *change.mutable_after() = *after;
  return change;
}

void AddRecord(const RecordKind& kind, const Message& body, RecordSet& records) {
  proto::Record record;
  record.GetReflection()->MutableMessage(&record, &FieldOf(record, kind.number))->CopyFrom(body);
  auto place = PlaceOf(record);
  records.insert_or_assign(std::move(place), std::move(record));
}

}  // namespace

RecordSet RecordsOf(const proto::FederationData& data) {
  RecordSet records;
  const auto& of = *data.GetReflection();
  for (const RecordKind& kind : RecordKinds()) {
    const FieldDescriptor& field = FieldOf(data, kind.number);
    if (!field.is_repeated()) {
      AddRecord(kind, of.GetMessage(data, &field), records);
      continue;
    }
    for (int i = 0; i < of.FieldSize(data, &field); ++i)
      AddRecord(kind, of.GetRepeatedMessage(data, &field, i), records);
  }
  return records;
}

proto::FederationData DataOf(const RecordSet& records) {
  proto::FederationData data;
  const auto& of = *data.GetReflection();
  for (const auto& [place, record] : records) {
    const FieldDescriptor& field = FieldOf(data, place.first);
    Message* const body =
        field.is_repeated() ? of.AddMessage(&data, &field) : of.MutableMessage(&data, &field);
    body->CopyFrom(BodyOf(record));
  }
  return data;
}

proto::FederationData WithoutKept(proto::FederationData data) {
  const auto& of = *data.GetReflection();
  for (const RecordKind& kind : RecordKinds()) {
    const FieldDescriptor& field = FieldOf(data, kind.number);
    if (!field.is_repeated() || kind.kept.empty()) continue;
    for (int i = 0; i < of.FieldSize(data, &field); ++i) {
      Message& body = *of.MutableRepeatedMessage(&data, &field, i);
      for (const FieldDescriptor* kept : KeptOf(kind, body))
        body.GetReflection()->ClearField(&body, kept);
    }
  }
  return data;
}

std::vector<proto::RecordChange> Difference(const RecordSet& from, RecordSet to) {
  std::vector<proto::RecordChange> changes;
  for (const auto& [place, before] : from)
    if (!to.contains(place)) changes.push_back(ChangeOf(&before, nullptr));
  for (auto& [place, after] : to) {
    const auto before = from.find(place);
    if (before == from.end()) {
      GiveId(after);
      changes.push_back(ChangeOf(nullptr, &after));
      continue;
    }
    TakeKept(before->second, after);
    if (before->second.SerializeAsString() != after.SerializeAsString())
      changes.push_back(ChangeOf(&before->second, &after));
  }
  return changes;
}

std::string NewRecordId() {
  return RandomHex(kIdBytes);
}

void PutIn(const proto::Record& record, RecordSet& records) {
  records.insert_or_assign(PlaceOf(record), record);
}

void TakeBack(std::span<const proto::RecordChange> changes, RecordSet& records) {
  for (const proto::RecordChange& change : changes)
    if (change.has_after()) records.erase(PlaceOf(change.after()));
  for (const proto::RecordChange& change : changes)
    if (change.has_before()) records.insert_or_assign(PlaceOf(change.before()), change.before());
}

}  // namespace gatehouse::policy_engine
