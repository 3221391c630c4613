#include "core/ctl/apply_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/one_line.h"
#include "core/config/data_yaml.h"
#include "core/ctl/audit_text.h"
#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

using Mistakes = std::vector<proto::Mistake>;

// Of what is not in the file there is no line to name: it stays as it is, and does not go with what
// the file says.
std::string TextOfAbsent(const proto::Mistake& mistake, const YamlPlaces& places) {
  const std::string& record = mistake.record();
  const bool is_one = !record.starts_with("all ") && !record.ends_with("policies");
  return fmt::format("{}: {}, which {} here and not in the file: {}\n", AsSentence(places.file),
                     AsSentence(record), is_one ? "is" : "are", AsSentence(mistake.what()));
}

std::string TextOf(const proto::Mistake& mistake, const YamlPlaces& places) {
  if (!places.HasSectionOf(mistake.key())) return TextOfAbsent(mistake, places);
  const std::string record = mistake.record().empty() ? "" : mistake.record() + ": ";
  return places.At(mistake.key(), record + mistake.what()).text + '\n';
}

// Nobody reads more at once.
constexpr std::size_t kMostMistakes = 1000;

// In the order of the file.
std::string TextOf(Mistakes mistakes, const YamlPlaces& places) {
  const auto line = [&places](const proto::Mistake& one) { return places.LineOf(one.key()); };
  std::ranges::stable_sort(mistakes, {}, line);
  const std::size_t more = mistakes.size() > kMostMistakes ? mistakes.size() - kMostMistakes : 0;
  mistakes.resize(mistakes.size() - more);
  std::string text;
  for (const proto::Mistake& mistake : mistakes) text += TextOf(mistake, places);
  if (more > 0) text += fmt::format("and {} more mistakes; mend these first\n", more);
  return text;
}

// The settings of a row are judged together; without its domain nobody knows which partner it is.
bool IsAftermathInPartner(const std::string& record, std::string_view key,
                          const YamlPlaces& places) {
  constexpr std::array kRow = {".tls", ".sasl", ".dialback", ".strict_sasl", ".dane", ".proxy"};
  const auto is_unread = [&](const char* field) { return places.IsUnread(record + field); };
  if (places.unread_keys.contains(record) || is_unread(".domain") || places.IsUnread(key))
    return true;
  if (key.ends_with("].type")) return places.unread.contains("partner_types");
  const bool is_of_row =
      std::ranges::any_of(kRow, [&](const char* f) { return key == record + f; });
  return is_of_row && std::ranges::any_of(kRow, is_unread);
}

// Whether it is, or may be, only because something else could not be read, which is told.
bool IsAftermath(const proto::Mistake& mistake, const YamlPlaces& places) {
  const std::string_view key = mistake.key();
  const std::size_t end = key.find(']');
  const std::string_view section = key.substr(0, key.find_first_of(".["));
  if (end == std::string_view::npos) return places.unread.contains(section);
  const std::string_view record = key.substr(0, end + 1);
  if (section == "partners") return IsAftermathInPartner(std::string(record), key, places);
  return places.IsUnread(record) || (section == "contacts" && places.unread.contains("partners"));
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

  // What the engine finds wrong with the rest of a file that could not be read in all of its
  // places; or why it was not asked.
  std::string OtherMistakes() {
    if (read_.has_contacts)
      if (const Ending told = TellContacts(); told.exit_code != kDone) return NotAsked(told);
    return NotAsked(CheckAll());
  }

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

  static std::string NotAsked(const Ending& ending) {
    if (ending.exit_code != kUnreachable) return ending.err;
    return "what else is wrong was not looked for: " + ending.err;
  }

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
    for (const proto::Mistake& mistake : answer->mistakes())
      if (!IsAftermath(mistake, read_.places)) mistakes_.push_back(mistake);
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
    for (bool more = read_.has_contacts; more;) {
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
      if (!answer) return dry_run() ? answer.error() : Unshown();
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

  // It is made, and which contacts it changed cannot be told any more.
  [[nodiscard]] Ending Unshown() const {
    return {kDone, out_,
            fmt::format("the file is applied and has changed {}; see which with gatehousectl "
                        "audit\n",
                        Contacts(differ_))};
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
  if (read.mistakes.empty()) return Application(invocation, outside, std::move(read)).Run();
  Ending ending{kRefused, {}, {}};
  for (const Error& mistake : read.mistakes) ending.err += mistake.text + '\n';
  // Where not even the sections are known, nothing can be said of them.
  if (!read.places.unread.contains("") && (read.has_contacts || !read.sections.empty()))
    ending.err += Application(invocation, outside, std::move(read)).OtherMistakes();
  return ending;
}

}  // namespace gatehouse::ctl
