// partner new, set, get, list, forget-tls, remove, explain; deny, undeny, denied; discovered,
// accept, refuse; type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ctl/invocation.h"
#include "core/ctl/type_commands.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class PartnerCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  PartnerCommands(CLI::App& app, Invocation& invocation);
  PartnerCommands(const PartnerCommands&) = delete;
  PartnerCommands& operator=(const PartnerCommands&) = delete;

 private:
  // The value options of new, set and explain as they were written.
  struct Values {
    std::string additional_domains;
    std::string type;
    std::string tls;
    std::string sasl;
    std::string dialback;
    std::string strict_sasl;
    std::string bidi;
    std::string same_certificate;
    std::uint32_t connection_limit = 0;
    std::string keep_alive;
    std::string proxy;
    std::string dane;
    std::string description;
    std::string enabled;
    std::string trust_anchors;  // the file's text
    std::string expires;
  };
  void AddRow(CLI::App& command);
  void AddValues(CLI::App& command);
  void AddNew(CLI::App& parent, Invocation& invocation);
  void AddSet(CLI::App& parent, Invocation& invocation);
  void AddStrangers(CLI::App& parent, Invocation& invocation);
  void AddReading(CLI::App& parent, Invocation& invocation);
  void AddExplain(CLI::App& parent, Invocation& invocation);
  void FillNew(const CLI::App& command, proto::PartnerNew& request) const;
  // Puts the options given to `command` into `partner` and gives the names of the fields they stand
  // for.
  std::vector<std::string> Apply(const CLI::App& command, proto::Partner& partner) const;

  std::string domain_;
  bool allow_lookalike_ = false;
  Values values_;
  std::optional<TypeCommands> types_;
};

}  // namespace gatehouse::ctl
