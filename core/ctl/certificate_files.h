// cert import and cert export-key: certificates and keys between files and the store.
#pragma once

#include <cstddef>

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

inline constexpr std::size_t kMaxCertificateFiles = 16;

// What is in `files`, with the passphrase in `passphrase_file`, to the supervisor.
[[nodiscard]] Ending ImportCertificate(const Invocation& invocation, const Outside& outside);
// A key from the supervisor to `file`, which its owner alone can read and which is no other file's
// place.
[[nodiscard]] Ending ExportKey(const Invocation& invocation, const Outside& outside);

}  // namespace gatehouse::ctl
