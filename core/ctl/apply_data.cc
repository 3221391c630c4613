#include "core/ctl/apply_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/data_yaml.h"
#include "core/ctl/audit_text.h"
#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

using Mistakes = std::vector<proto::Mistake>;

std::string TextOf(const proto::Mistake& mistake, const YamlPlaces& places) {
  const std::string record = mistake.record().empty() ? "" : mistake.record() + ": ";
  return places.At(mistake.key(), record + mistake.what()).text + '\n';
}

// In the order of the file.
std::string TextOf(Mistakes mistakes, const YamlPlaces& places) {
  const auto line = [&places](const proto::Mistake& one) { return places.LineOf(one.key()); };
  std::ranges::stable_sort(mistakes, {}, line);
  std::string text;
  for (const proto::Mistake& mistake : mistakes) text += TextOf(mistake, places);
  return text;
}

// Far below what the engine takes at once.
constexpr int kContactsOfAPart = 2000;

std::string Contacts(std::size_t count) {
  return count == 1 ? "1 contact" : fmt::format("{} contacts", count);
}

// One application of one file.
class Application {
 public:
  Application(const Invocation& invocation, const Outside& outside, DataFile read)
      : invocation_(invocation), outside_(outside), read_(std::move(read)) {}

  Ending Run() {
    if (!read_.has_contacts) return ApplyRecords();
    if (const Ending told = TellContacts(); told.exit_code != kDone) return told;
    if (const Ending checked = CheckAll(); checked.exit_code != kDone) return checked;
    Ending ending = dry_run() ? Ending{} : ApplyRecords();
    if (ending.exit_code != kDone) return ending;
    return ShowContacts();
  }

 private:
  using Changes = google::protobuf::RepeatedPtrField<proto::ChangeView>;

  [[nodiscard]] bool dry_run() const { return invocation_.request.apply().dry_run(); }

  [[nodiscard]] proto::CtlRequest ApplyRequest() const {
    proto::CtlRequest request = invocation_.request;
    proto::Apply& apply = *request.mutable_apply();
    *apply.mutable_data() = read_.data;
    for (const std::string& section : read_.sections) apply.add_sections(section);
    apply.set_file(invocation_.file);
    apply.set_plan(plan_);
    return request;
  }

  // The records, and the contacts with them.
  Ending ApplyRecords() {
    const auto response = Call(invocation_, ApplyRequest(), outside_);
    if (!response) return response.error();
    Ending ending{static_cast<int>(response->exit_code()), {}, {}};
    ending.err = TextOf({response->mistakes().begin(), response->mistakes().end()}, read_.places);
    if (!response->error().empty()) ending.err += response->error() + '\n';
    if (ending.exit_code != kDone) return ending;
    Take(*response);
    ending.out = Shown(invocation_, invocation_.request, *response);
    return ending;
  }

  void Take(const proto::CtlResponse& response) {
    report_ = response.changes();
    if (!invocation_.json && !read_.sections.empty())
      out_ = Shown(invocation_, invocation_.request, response);
  }

  // What is wrong is kept, and told with all else that is.
  std::optional<Ending> Note(const std::expected<proto::CtlResponse, Ending>& answer) {
    if (!answer) return answer.error();
    if (answer->exit_code() != kDone && answer->mistakes().empty())
      return Ending{static_cast<int>(answer->exit_code()), {}, answer->error() + '\n'};
    mistakes_.insert(mistakes_.end(), answer->mistakes().begin(), answer->mistakes().end());
    return std::nullopt;
  }

  Ending TellContacts() {
    int told = 0;
    do {
      proto::CtlRequest request;
      proto::ApplyPart& part = *request.mutable_apply_part();
      part.set_plan(plan_);
      const int end = std::min(told + kContactsOfAPart, read_.contacts.contacts_size());
      for (; told < end; ++told) part.add_contacts()->Swap(read_.contacts.mutable_contacts(told));
      const auto answer = Call(invocation_, request, outside_);
      if (const auto trouble = Note(answer)) return *trouble;
      plan_ = answer->apply_plan().plan();
    } while (told < read_.contacts.contacts_size());
    return {};
  }

  // All that may be wrong is found before anything is made.
  Ending CheckAll() {
    proto::CtlRequest dry = ApplyRequest();
    dry.mutable_apply()->set_dry_run(true);
    const auto said = Call(invocation_, dry, outside_);
    if (const auto trouble = Note(said)) return *trouble;
    if (dry_run()) Take(*said);
    proto::CtlRequest request;
    request.mutable_apply_compare()->set_plan(plan_);
    for (bool more = true; more;) {
      const auto answer = Call(invocation_, request, outside_);
      if (const auto trouble = Note(answer)) return *trouble;
      more = answer->apply_plan().more();
      differ_ = answer->apply_plan().differ();
    }
    if (mistakes_.empty()) return {};
    return {kRefused, {}, TextOf(std::move(mistakes_), read_.places)};
  }

  // Those that differ, or did until now.
  Ending ShowContacts() {
    proto::CtlRequest request;
    request.mutable_apply_differing()->set_plan(plan_);
    for (bool more = differ_ > 0; more;) {
      const auto answer = GoodAnswer(invocation_, request, outside_);
      if (!answer) return dry_run() ? answer.error() : Unshown(answer.error().err);
      changes_.MergeFrom(answer->contact_changes());
      more = answer->apply_plan().more();
    }
    return Told();
  }

  // The changes of contacts, behind what was made of the records.
  Ending Told() {
    if (invocation_.json) {
      report_.mutable_changes()->MergeFrom(changes_);
      return {kDone, JsonText(report_) + '\n', {}};
    }
    std::string text = out_ + ChangesText(changes_, "");
    const auto count = static_cast<std::size_t>(changes_.size());
    if (count == 0)
      text += "no contact differs\n";
    else
      text += fmt::format("{} {}\n", Contacts(count), dry_run() ? "would change" : "changed");
    return {kDone, text, {}};
  }

  // It is made, and which contacts it changed cannot be told.
  Ending Unshown(std::string why) {
    if (why.ends_with('\n')) why.pop_back();
    return {kDone, out_,
            fmt::format("the file is applied and has changed {}; which, gatehousectl audit shows: "
                        "they cannot be listed here: {}\n",
                        Contacts(differ_), why)};
  }

  const Invocation& invocation_;
  const Outside& outside_;
  DataFile read_;
  std::uint64_t plan_ = 0;  // the engine's, of the file's contacts
  Mistakes mistakes_;
  std::uint64_t differ_ = 0;  // contacts
  Changes changes_;           // of them
  proto::ChangeReport report_;
  std::string out_;  // what was made of the records, as text
};

}  // namespace

Ending ApplyData(const Invocation& invocation, const Outside& outside) {
  const Result<std::string> text = ReadTextFile(invocation.file, kMaxDataFileBytes);
  if (!text) return {kRefused, {}, text.error().text + '\n'};
  DataFile read = ReadDataYaml(*text, invocation.file);
  if (!read.mistakes.empty()) {
    Ending ending{kRefused, {}, {}};
    for (const Error& mistake : read.mistakes) ending.err += mistake.text + '\n';
    return ending;
  }
  return Application(invocation, outside, std::move(read)).Run();
}

}  // namespace gatehouse::ctl
