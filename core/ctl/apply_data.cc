#include "core/ctl/apply_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/config/data_yaml.h"
#include "core/ctl/audit_text.h"
#include "core/ctl/contact_marks.h"
#include "core/ctl/contact_pages.h"
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
    file_ = MarksOf(read_.contacts, read_.places);
    if (Ending checked = CheckAll(); checked.exit_code != kDone) return checked;
    Ending ending;
    if (!read_.sections.empty()) ending = ApplyRecords();
    return ending.exit_code == kDone ? ApplyContacts() : ending;
  }

 private:
  [[nodiscard]] bool dry_run() const { return invocation_.request.apply().dry_run(); }

  [[nodiscard]] proto::CtlRequest ApplyRequest() const {
    proto::CtlRequest request = invocation_.request;
    proto::Apply& apply = *request.mutable_apply();
    *apply.mutable_data() = read_.data;
    for (const std::string& section : read_.sections) apply.add_sections(section);
    apply.set_file(invocation_.file);
    return request;
  }

  // A further command of the same application, refused where somebody came in between.
  [[nodiscard]] proto::CtlRequest Further() const {
    proto::CtlRequest request;
    request.set_reason(invocation_.request.reason());
    if (invocation_.request.has_if_revision())
      request.set_if_revision(revision_ > 0 ? revision_ : invocation_.request.if_revision());
    return request;
  }

  Ending ApplyRecords() {
    const auto response = Call(invocation_, ApplyRequest(), outside_);
    if (!response) return response.error();
    Ending ending{static_cast<int>(response->exit_code()), {}, {}};
    ending.err = TextOf({response->mistakes().begin(), response->mistakes().end()}, read_.places);
    if (!response->error().empty()) ending.err += response->error() + '\n';
    if (ending.exit_code != kDone) return ending;
    revision_ = response->revision();
    report_ = response->changes();
    ending.out = Shown(invocation_, invocation_.request, *response);
    if (!invocation_.json) out_ = ending.out;
    return ending;
  }

  // What one command would find by itself, found before the first of several.
  Ending CheckAll() {
    Mistakes mistakes = file_.mistakes;
    if (!read_.sections.empty()) {
      proto::CtlRequest dry = ApplyRequest();
      dry.mutable_apply()->set_dry_run(true);
      const auto said = Call(invocation_, dry, outside_);
      if (!said) return said.error();
      if (said->exit_code() != kDone && said->mistakes().empty())
        return {static_cast<int>(said->exit_code()), {}, said->error() + '\n'};
      mistakes.insert(mistakes.end(), said->mistakes().begin(), said->mistakes().end());
    }
    proto::CtlRequest request = Further();
    request.mutable_status();
    const auto status = GoodAnswer(invocation_, request, outside_);
    if (!status) return status.error();
    request.mutable_export_data();
    const auto present = GoodAnswer(invocation_, request, outside_);
    if (!present) return present.error();
    const bool has_partners = std::ranges::find(read_.sections, "partners") != read_.sections.end();
    const proto::FederationData& data = has_partners ? read_.data : present->federation_data();
    const std::vector<std::string> served(status->status().domains().begin(),
                                          status->status().domains().end());
    Mistakes strangers = StrangersIn(file_, data, served, {});
    if (!strangers.empty()) {  // only then is it worth asking for all there are
      const Result<ContactMarks, Ending> marks = MarksInStore(invocation_, outside_);
      if (!marks) return marks.error();
      strangers = StrangersIn(file_, data, served, *marks);
    }
    mistakes.insert(mistakes.end(), strangers.begin(), strangers.end());
    Mistakes too_many = TooManyIn(file_, data);
    mistakes.insert(mistakes.end(), too_many.begin(), too_many.end());
    if (mistakes.empty()) return {};
    return {kRefused, {}, TextOf(std::move(mistakes), read_.places)};
  }

  Ending ApplyContacts() {
    const Result<ContactMarks, Ending> present = MarksInStore(invocation_, outside_);
    if (!present)
      return read_.sections.empty() ? present.error() : Broken(present.error().err, 0, 0);
    changes_ = Difference(*present, file_.marks);
    if (dry_run()) return Told(changes_.size());
    for (std::size_t done = 0; done < changes_.size();) {
      proto::CtlRequest request = Further();
      *request.mutable_contact_change() = CommandFrom(changes_, done);
      const auto count = static_cast<std::size_t>(request.contact_change().contacts_size());
      outside_.when_interrupted(fmt::format(
          "interrupted: {}of {} that differ {} are changed, and {} more may be; gatehousectl apply "
          "--dry-run shows what is left\n",
          Records(), Contacts(changes_.size()), done, count));
      const auto answer = GoodAnswer(invocation_, request, outside_);
      if (!answer) return Broken(answer.error().err, done, count);
      done += count;
    }
    return Told(changes_.size());
  }

  // The first `count` changes of contacts, behind what was made of the records.
  Ending Told(std::size_t count) {
    google::protobuf::RepeatedPtrField<proto::ChangeView> views;
    for (std::size_t i = 0; i < count; ++i) *views.Add() = ChangeViewOf(changes_[i]);
    if (invocation_.json) {
      report_.mutable_changes()->MergeFrom(views);
      return {kDone, JsonText(report_) + '\n', {}};
    }
    std::string text = out_ + ChangesText(views, "");
    if (count == 0)
      text += "no contact differs\n";
    else
      text += fmt::format("{} {}\n", Contacts(count), dry_run() ? "would change" : "changed");
    return {kDone, text, {}};
  }

  [[nodiscard]] std::string Records() const {
    return read_.sections.empty() ? "" : "partners and settings are applied; ";
  }

  // `done` changes of contacts are made; of the next `tried` something went wrong.
  Ending Broken(std::string why, std::size_t done, std::size_t tried) {
    if (why.ends_with('\n')) why.pop_back();
    Ending ending = Told(done);
    ending.exit_code = kRefused;
    ending.err = Records();
    if (tried == 0)
      ending.err += fmt::format("no contact is changed: {}\n", why);
    else
      ending.err += fmt::format(
          "of {} that differ {} are changed, {} were not tried, and with the {} between there was "
          "trouble: {}; gatehousectl apply --dry-run shows what is left; once that is mended, "
          "apply the file again\n",
          Contacts(changes_.size()), done, changes_.size() - done - tried, tried, why);
    return ending;
  }

  const Invocation& invocation_;
  const Outside& outside_;
  DataFile read_;
  FileMarks file_;
  std::vector<MarkChange> changes_;
  proto::ChangeReport report_;
  std::string out_;             // what was made of the records, as text
  std::uint64_t revision_ = 0;  // after that; 0: nothing was sent yet
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
