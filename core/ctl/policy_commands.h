// policy list, new, set, remove, grant, revoke: external access policies; policy test.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class PolicyCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  PolicyCommands(CLI::App& app, Invocation& invocation);
  PolicyCommands(const PolicyCommands&) = delete;
  PolicyCommands& operator=(const PolicyCommands&) = delete;

 private:
  void AddValues(CLI::App& command);
  void AddGrantees(CLI::App& command);
  // Puts the options given to `command` into `policy` and gives the names of the fields they stand
  // for.
  std::vector<std::string> Apply(const CLI::App& command, proto::AccessPolicy& policy) const;
  void FillGrantees(proto::Grantees& grantees, Invocation& invocation) const;
  void AddReading(CLI::App& parent, Invocation& invocation);
  void AddChanging(CLI::App& parent, Invocation& invocation);
  void AddGranting(CLI::App& parent, Invocation& invocation);
  void AddTest(CLI::App& parent, Invocation& invocation);

  std::string name_;
  std::string xmpp_access_;
  std::string description_;
  std::vector<std::string> users_;
  std::vector<std::string> patterns_;
  std::vector<std::string> domains_;
  std::string from_;
  std::string to_;
  std::string kind_;
};

}  // namespace gatehouse::ctl
