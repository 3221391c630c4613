// The names a certificate of ours should have.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace gatehouse::ctl {

struct RequestNames {
  std::vector<std::string> dns_names;
  std::vector<std::string> srv_names;
};

// As the wizard of Lync computes them: each domain (for XMPP, 2.5) and its "sip." name, then `own`;
// each once, as A-labels.
//   fails  kConfig: a name that is none
Result<RequestNames> NamesToRequest(const std::vector<std::string>& domains,
                                    const std::vector<std::string>& own, bool srv_ids);

// The first that fits into a subject; empty: none does.
[[nodiscard]] std::string CommonNameOf(const RequestNames& names);

}  // namespace gatehouse::ctl
