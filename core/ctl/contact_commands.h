// contact list, allow, block, forget.
#pragma once

#include <cstdint>
#include <string>

#include "core/ctl/invocation.h"

namespace CLI {
class App;
}

namespace gatehouse::ctl {

class ContactCommands {
 public:
  // Adds its commands to `app`; parsing them fills `invocation`. Must live until the parsing is
  // done.
  ContactCommands(CLI::App& app, Invocation& invocation);
  ContactCommands(const ContactCommands&) = delete;
  ContactCommands& operator=(const ContactCommands&) = delete;

 private:
  void AddList(CLI::App& parent, Invocation& invocation);
  // `verb` is its name, too.
  void AddChange(CLI::App& parent, Invocation& invocation, proto::ContactChange::Verb verb,
                 const std::string& help);

  std::string user_;
  std::string contact_;
  std::string file_;
  std::string after_;
  std::uint32_t limit_ = 100;
  bool ended_ = false;
};

// "USER JID" a line into `change`; empty lines and lines that begin with '#' do not count.
//   gives  what is wrong with the file; empty: nothing
[[nodiscard]] std::string ReadContacts(const std::string& file, proto::ContactChange& change);

}  // namespace gatehouse::ctl
