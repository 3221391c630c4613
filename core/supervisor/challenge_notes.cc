#include "core/supervisor/challenge_notes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "core/address/ascii.h"
#include "core/base/durable_file.h"
#include "core/base/log.h"
#include "core/base/regular_file.h"
#include "core/config/check_acme.h"

namespace gatehouse {
namespace {

constexpr std::size_t kValueBytes = 43;  // base64url of SHA-256
constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxNotesBytes =
    ChallengeNotes::kMaxRecords * (kMaxNameBytes + kValueBytes + 2);

bool IsChallengeName(std::string_view name) {
  return name.starts_with(kChallengeLabel) && name.size() <= kMaxNameBytes &&
         std::ranges::all_of(name.substr(kChallengeLabel.size()), [](char c) {
           return ascii::IsAlphanumeric(c) || c == '-' || c == '.';
         });
}

// Of a line "NAME VALUE".
std::optional<ChallengeNotes::Record> RecordOf(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(0, blank);
  const std::string_view value = line.substr(blank + 1);
  if (!IsChallengeName(name) || !IsChallengeValue(value)) return std::nullopt;
  return ChallengeNotes::Record{name, value};
}

}  // namespace

bool IsChallengeValue(std::string_view value) {
  return value.size() == kValueBytes && std::ranges::all_of(value, [](char c) {
           return ascii::IsAlphanumeric(c) || c == '-' || c == '_';
         });
}

ChallengeNotes::ChallengeNotes(std::string file) : file_(std::move(file)) {
  if (::access(file_.c_str(), F_OK) != 0) return;
  const auto text = ReadRegularFile(file_, kMaxNotesBytes);
  std::size_t odd = text ? 0 : 1;
  for (std::string_view rest = text ? *text : std::string_view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    auto record = RecordOf(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (record && records_.size() < kMaxRecords)
      records_.push_back(*std::move(record));
    else
      ++odd;
  }
  if (odd == 0) return;
  Log(LogLevel::kWarning, "dns-records-unknown",
      {{"file", file_},
       {"why",
        "it is damaged: a TXT record of an order that was broken off may be left; remove it by "
        "hand"}});
}

Result<void> ChallengeNotes::Add(const Record& record) {
  if (std::ranges::find(records_, record) != records_.end()) return {};
  if (records_.size() >= kMaxRecords)
    return Trouble(
        fmt::format("{} TXT records wait to be removed from the zone; mend the DNS "
                    "hook, remove them by hand, and delete {}",
                    records_.size(), file_));
  records_.push_back(record);
  auto written = Write();
  if (!written) records_.pop_back();
  return written;
}

void ChallengeNotes::Remove(const Record& record) {
  if (std::erase(records_, record) == 0) return;
  if (const auto written = Write(); !written)
    Log(LogLevel::kWarning, "dns-records-not-noted", {{"why", written.error().text}});
}

Result<void> ChallengeNotes::Write() const {
  std::string text;
  for (const auto& [name, value] : records_)
    text.append(name).append(" ").append(value).append("\n");
  return ReplaceFile(file_, text);
}

}  // namespace gatehouse
