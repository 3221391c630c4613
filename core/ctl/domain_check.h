// Domains on the command line.
#pragma once

namespace CLI {
class Validator;
}

namespace gatehouse::ctl {

// For an option's transform(): puts the prepared domain (6.2) in place of the one that was written,
// which may end with a dot; or one sentence that says why it is none.
[[nodiscard]] CLI::Validator DomainCheck();

}  // namespace gatehouse::ctl
