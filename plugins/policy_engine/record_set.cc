#include "plugins/policy_engine/record_set.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <algorithm>

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

// --- sets

using Set = google::protobuf::RepeatedPtrField<std::string>;

// Of both sides of a record that was there and stays; the one as many as the other.
std::pair<std::vector<Set*>, std::vector<Set*>> SetsOf(proto::RecordChange& change) {
  const RecordKind* const kind = FindKind(change.after());
  if (kind == nullptr || kind->sets == nullptr) return {};
  if (PlaceOf(change.before()) != PlaceOf(change.after())) return {};
  return {kind->sets(*change.mutable_before()), kind->sets(*change.mutable_after())};
}

// Both in order. What is in both goes from both.
void DropCommon(Set& one, Set& other) {
  auto kept_one = one.begin();
  auto kept_other = other.begin();
  auto in_other = other.begin();
  for (auto in_one = one.begin(); in_one != one.end(); ++in_one) {
    while (in_other != other.end() && *in_other < *in_one) std::swap(*kept_other++, *in_other++);
    if (in_other != other.end() && *in_other == *in_one)
      ++in_other;
    else
      std::swap(*kept_one++, *in_one);
  }
  while (in_other != other.end()) std::swap(*kept_other++, *in_other++);
  one.erase(kept_one, one.end());
  other.erase(kept_other, other.end());
}

// Whether it was in the set.
bool TakeOut(const std::string& item, Set& set) {
  const auto found = std::ranges::lower_bound(set, item);
  if (found == set.end() || *found != item) return false;
  set.erase(found);
  return true;
}

// Whether it was not in the set.
bool PutIn(const std::string& item, Set& set) {
  const auto place = std::ranges::lower_bound(set, item) - set.begin();
  if (place != set.size() && set[static_cast<int>(place)] == item) return false;
  *set.Add() = item;
  std::rotate(set.pointer_begin() + place, set.pointer_end() - 1, set.pointer_end());
  return true;
}

std::unexpected<Error> DoesNotLead(const proto::RecordChange& change) {
  return Trouble(
      fmt::format("the audit does not lead to what is in the store: {} '{}'; restore a "
                  "copy",
                  KindWord(change.after()), KeyOf(change.after())));
}

// What the record was that `change` made to what it `is`.
Result<proto::Record> BeforeOf(proto::RecordChange change, proto::Record is) {
  KeepDifference(change);
  const auto [taken, added] = SetsOf(change);
  const std::vector<Set*> items = taken.empty() ? std::vector<Set*>() : FindKind(is)->sets(is);
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const std::string& item : *added[i])
      if (!TakeOut(item, *items[i])) return DoesNotLead(change);
    for (const std::string& item : *taken[i])
      if (!PutIn(item, *items[i])) return DoesNotLead(change);
    taken[i]->Swap(items[i]);
  }
  return std::move(*change.mutable_before());
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

void KeepDifference(proto::RecordChange& change) {
  const auto [before, after] = SetsOf(change);
  for (std::size_t i = 0; i < before.size(); ++i) DropCommon(*before[i], *after[i]);
}

Result<void> TakeBack(std::span<const proto::RecordChange> changes, RecordSet& records) {
  std::vector<proto::Record> were;
  for (const proto::RecordChange& change : changes) {
    if (!change.has_after()) {
      were.push_back(change.before());
      continue;
    }
    const auto is = records.find(PlaceOf(change.after()));
    if (is == records.end()) return DoesNotLead(change);
    if (change.has_before()) {
      GATEHOUSE_TRY(were.emplace_back(), BeforeOf(change, std::move(is->second)));
    }
    records.erase(is);
  }
  for (proto::Record& was : were) {
    auto place = PlaceOf(was);
    records.insert_or_assign(std::move(place), std::move(was));
  }
  return {};
}

}  // namespace gatehouse::policy_engine
