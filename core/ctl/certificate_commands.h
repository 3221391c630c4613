// cert request, import, assign, list, show, remove, export-key, renew, renewal.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class CertificateCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  CertificateCommands(CLI::App& app, Invocation& invocation);
  CertificateCommands(const CertificateCommands&) = delete;
  CertificateCommands& operator=(const CertificateCommands&) = delete;

 private:
  void AddRequest(CLI::App& parent, Invocation& invocation);
  void AddSubject(CLI::App& command);
  void AddOffline(CLI::App& command);
  void AddImport(CLI::App& parent, Invocation& invocation);
  void AddAssign(CLI::App& parent, Invocation& invocation);
  void AddReading(CLI::App& parent, Invocation& invocation);
  void AddRemove(CLI::App& parent, Invocation& invocation);
  static void AddRenewal(CLI::App& parent, Invocation& invocation);
  // The words of `cert request` that are more than one value; gives what is wrong with them.
  [[nodiscard]] std::string FinishOrder(const CLI::App& command);

  CertificateOrder order_;
  std::string name_;
  std::string friendly_name_;
  std::string key_;
  std::string domains_;
  std::string own_names_;
  std::string ca_;
  std::string slot_;
  std::string file_;
  std::string passphrase_file_;
  std::vector<std::string> files_;
  bool self_sign_ = false;
  bool exportable_ = false;
  bool none_ = false;
};

}  // namespace gatehouse::ctl
