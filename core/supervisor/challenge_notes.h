// Which TXT records the operator's hook has put into his zone and not taken out again, on the disk:
// the next life of gatehoused has them removed when this one was killed.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

// The digest a CA wants in such a record: 43 octets of base64url (RFC 8555 §8.4).
[[nodiscard]] bool IsChallengeValue(std::string_view value);

class ChallengeNotes {
 public:
  using Record = std::pair<std::string, std::string>;  // name, value
  static constexpr std::size_t kMaxRecords = 256;

  // Reads what is there. The workers may write to that folder, too: what is no record of a
  // challenge is left out, and logged.
  explicit ChallengeNotes(std::string file);

  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  // On the disk when it returns well; call it before the record is published.
  //   fails  kTrouble: the file cannot be written, or there are kMaxRecords
  Result<void> Add(const Record& record);
  // After it was taken out. A failure is logged: it is only removed once more.
  void Remove(const Record& record);

 private:
  [[nodiscard]] Result<void> Write() const;

  std::string file_;
  std::vector<Record> records_;
};

}  // namespace gatehouse
