#include "core/base/log.h"

#include <gmock/gmock.h>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string Logged(LogFormat format, std::string_view value) {
  SetUpLog("test", format);
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "event", {{"peer", value}});
  return testing::internal::GetCapturedStderr();
}

TEST(Log, GivesOneJsonObjectALineWithControlsEscaped) {
  const std::string line = Logged(LogFormat::kJson, "a\"b\\c\nd\x7f");
  EXPECT_THAT(line, HasSubstr(R"("level":"info","worker":"test","event":"event")"));
  EXPECT_THAT(line, EndsWith("\"peer\":\"a\\\"b\\\\c\\u000ad\\u007f\"}\n"));
}

TEST(Log, IsUtf8WhateverWasPutIntoIt) {
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    const std::string line = Logged(format, "gr\u00FCn \xC3( \xE2\x82x\xFF");
    EXPECT_TRUE(IsUtf8(line)) << line;
    EXPECT_THAT(line, HasSubstr("gr\u00FCn \uFFFD( \uFFFD\uFFFDx\uFFFD"));
  }
  EXPECT_TRUE(IsUtf8(Logged(LogFormat::kText, "\xFF")));
}

TEST(Log, LeavesAPlainWordOfTextAsItIs) {
  EXPECT_THAT(Logged(LogFormat::kText, "gr\u00FCn"), EndsWith(" info test event peer=gr\u00FCn\n"));
}

}  // namespace
}  // namespace gatehouse
