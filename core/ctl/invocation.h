// What one call of gatehousectl asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ctl/certificate_order.h"
#include "core/selftest/matrix_run.h"
#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

enum class Action : std::uint8_t {
  kPrint,               // `text`: help or version
  kAsk,                 // `request` to the supervisor
  kListContacts,        // `request`, a contact_list, page by page
  kExplainRow,          // the row of `partner`, offline
  kCheckConfig,         // `file`, offline
  kExport,              // what `request` gives, as YAML, to `file`
  kApply,               // `file` to the supervisor, by the words of `request`
  kBackup,              // the store, to `file`
  kRestore,             // `file`, to the store
  kPlayMatrix,          // `matrix`, with a gatehoused of its own
  kImportLync,          // what is in `files`, added to `request`, to the supervisor
  kRequestCertificate,  // `certificate`
  kImportCertificate,   // `files`, added to `request`, with the passphrase in `passphrase_file`
  kExportKey,           // what `request` gives, to `file`
};

struct Invocation {
  Action action = Action::kPrint;
  std::string text;
  proto::CtlRequest request;
  // Of a changing command (write_options.h); they are in `request` once all is parsed.
  std::string reason;
  std::optional<std::uint64_t> if_revision;
  proto::Partner partner;
  std::string file;                // kCheckConfig: the configuration; empty for kExport: printed
  std::vector<std::string> files;  // kImportLync
  std::string passphrase_file;  // `gateway set --dialback-passphrase-file`; asked after `request`,
                                // if that has a command
  CertificateOrder certificate;
  selftest::MatrixOptions matrix;
  bool every_cell = false;  // kPlayMatrix: a line for each
  bool changes = false;     // the store: who breaks it off must be told that it may be done
  bool contacts = false;    // kExport: with what operators said of contacts
  bool json = false;
  std::string runtime_dir;
  std::chrono::seconds limit{0};  // for the supervisor's response, where it is longer than usual
  std::string misuse;             // not empty: the options do not fit together, and why
};

}  // namespace gatehouse::ctl
