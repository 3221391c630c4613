#include "core/supervisor/refusal_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

void NewestFirst(proto::RefusalRecords& records) {
  auto& all = *records.mutable_refusals();
  std::ranges::stable_sort(all.pointer_begin(), all.pointer_end(), std::greater{},
                           [](const proto::RefusalRecord* record) { return record->at_unix_ms(); });
  const int surplus = all.size() - static_cast<int>(kMaxRefusalsShown);
  if (surplus > 0) all.DeleteSubrange(static_cast<int>(kMaxRefusalsShown), surplus);
}

// "tls_listener/1 did not answer; what it remembers is missing here"
std::string MissingText(std::span<const WorkersAnswer> answers) {
  std::string text;
  for (const WorkersAnswer& one : answers) {
    if (one.response.has_refusals()) continue;
    if (!text.empty()) text += "; ";
    text += one.response.error().empty() ? one.instance + " did not answer" : one.response.error();
  }
  return text.empty() ? text : text + "; what it remembers is missing here";
}

}  // namespace

proto::CtlResponse MergeRefusals(const proto::Why& asked, std::span<const WorkersAnswer> answers) {
  proto::CtlResponse merged;
  proto::RefusalRecords& found = *merged.mutable_refusals();
  for (const WorkersAnswer& one : answers) found.MergeFrom(one.response.refusals());
  NewestFirst(found);
  merged.set_error(MissingText(answers));
  const bool heard = std::ranges::any_of(
      answers, [](const WorkersAnswer& one) { return one.response.has_refusals(); });
  if (!heard) {
    if (answers.empty()) merged.set_error("no worker that remembers refusals is ready; try again");
    merged.set_exit_code(1);
    merged.clear_refusals();
    return merged;
  }
  if (asked.id().empty() || found.refusals_size() > 0) return merged;
  const std::string missing = merged.error().empty() ? "" : "; " + merged.error();
  merged.clear_refusals();
  merged.set_exit_code(1);
  merged.set_error(fmt::format(
      "no refusal '{}' is remembered; only the last ones of each partner are, until the "
      "worker that refused restarts; see the log{}",
      asked.id(), missing));
  return merged;
}

}  // namespace gatehouse
