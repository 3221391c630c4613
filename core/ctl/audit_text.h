// Changes as an operator reads them.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// A line for each change ("partner fabrikam.example: tls required -> optional"); every line ends
// with a line end and starts with `indent`.
[[nodiscard]] std::string ChangesText(
    const google::protobuf::RepeatedPtrField<proto::ChangeView>& changes, std::string_view indent);
// `config diff`, `config rollback` and `apply`: the changes, and what became of them.
[[nodiscard]] std::string ReportText(const proto::ChangeReport& report);
// `audit`: each entry with its changes.
[[nodiscard]] std::string AuditText(const proto::AuditRecords& audit);
// `config history`: one line for each.
[[nodiscard]] std::string HistoryText(const proto::AuditRecords& audit);

}  // namespace gatehouse::ctl
