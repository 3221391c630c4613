// partner type list, new, set, remove: what contacts of a partner may do.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class TypeCommands {
 public:
  // Adds `type` to the commands of `partner`; parsing fills `invocation`. Must live until the
  // parsing is done.
  TypeCommands(CLI::App& partner, Invocation& invocation);
  TypeCommands(const TypeCommands&) = delete;
  TypeCommands& operator=(const TypeCommands&) = delete;

 private:
  void AddName(CLI::App& command);
  void AddValues(CLI::App& command);
  // Puts the options given to `command` into `type` and gives the names of the fields they stand
  // for.
  std::vector<std::string> Apply(const CLI::App& command, proto::PartnerType& type) const;

  std::string name_;
  std::array<std::string, 5> may_;  // in the order of the flags
  std::string description_;
};

}  // namespace gatehouse::ctl
