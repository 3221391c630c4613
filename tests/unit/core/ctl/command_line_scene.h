// Calls of gatehousectl and what becomes of their words.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "core/ctl/command_line.h"

namespace gatehouse::ctl {

inline Result<Invocation> Parse(const std::vector<std::string>& arguments) {
  return ParseCommandLine(arguments);
}

// Words without blanks in them.
inline Result<Invocation> ParseText(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> arguments;
  for (std::string word; stream >> word;) arguments.push_back(word);
  return Parse(arguments);
}

inline proto::CtlRequest RequestOf(const std::string& text) {
  const Result<Invocation> invocation = ParseText(text);
  EXPECT_TRUE(invocation.has_value()) << text << ": " << invocation.error().text;
  EXPECT_EQ(invocation->action, Action::kAsk) << text;
  return invocation->request;
}

inline std::string MisuseOf(const std::string& text) {
  const Result<Invocation> invocation = ParseText(text);
  EXPECT_FALSE(invocation.has_value()) << text;
  return invocation ? std::string() : invocation.error().text;
}

}  // namespace gatehouse::ctl
