// What one call of gatehousectl asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/selftest/matrix_run.h"
#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

enum class Action : std::uint8_t {
  kPrint,         // `text`: help or version
  kAsk,           // `request` to the supervisor
  kListContacts,  // `request`, a contact_list, page by page
  kExplainRow,    // the row of `partner`, offline
  kCheckConfig,   // `file`, offline
  kPlayMatrix,    // `matrix`, with a gatehoused of its own
};

struct Invocation {
  Action action = Action::kPrint;
  std::string text;
  proto::CtlRequest request;
  proto::Partner partner;
  std::string file;             // kCheckConfig: the configuration
  std::string passphrase_file;  // `gateway set --dialback-passphrase-file`; asked after `request`,
                                // if that has a command
  selftest::MatrixOptions matrix;
  bool every_cell = false;  // kPlayMatrix: a line for each
  bool json = false;
  std::string runtime_dir;
  std::chrono::seconds limit{15};  // for the supervisor's response
  std::string misuse;              // not empty: the options do not fit together, and why
};

}  // namespace gatehouse::ctl
