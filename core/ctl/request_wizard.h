// Asks an operator at a terminal for a certificate, step by step, as the wizard of Lync does.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/ctl/carry_out.h"
#include "core/ctl/certificate_order.h"

namespace gatehouse::ctl {

// Prints the prompt and gives the line; none at the end of input.
using AskLine = std::function<std::optional<std::string>(const std::string& prompt)>;

// `given`: what the command line said already, proposed for each answer. `edge`: whose names are
// proposed. Shows all of it in the end and asks whether to go on; nothing when the answer is no, or
// input ends.
[[nodiscard]] std::optional<CertificateOrder> AskForOrder(CertificateOrder given,
                                                          const EdgeNames& edge,
                                                          const AskLine& ask);

}  // namespace gatehouse::ctl
