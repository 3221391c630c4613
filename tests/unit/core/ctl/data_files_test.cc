#include "core/ctl/data_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/core/ctl/fake_supervisor.h"
#include "tests/unit/core/ctl/scratch_file.h"

namespace gatehouse::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// The header of a database with this application's number.
std::string Database(const std::string& application) {
  std::string head("SQLite format 3\0", 16);
  head.resize(68);
  return head + application + std::string(28, '\0');
}

class DataFiles : public testing::Test {
 protected:
  static std::string Read(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // What a command says of `path`.
  static std::string ErrorOf(Action action, const std::string& path) {
    FakeSupervisor supervisor;
    proto::CtlResponse response;
    if (action == Action::kExport) {
      response.set_revision(7);
      response.mutable_federation_data();
    } else {
      response.mutable_backup()->set_part(Database("GATE"));
      response.mutable_backup()->set_size(Database("GATE").size());
    }
    supervisor.Say(response);
    Invocation invocation;
    invocation.action = action;
    invocation.file = path;
    if (action == Action::kExport)
      invocation.request.mutable_export_data();
    else
      invocation.request.mutable_backup_read();
    return CarryOut(invocation, supervisor.AsOutside()).err;
  }
};

TEST_F(DataFiles, AnExportReplacesAnExportAndNothingElse) {
  const ScratchFile file("");
  EXPECT_THAT(ErrorOf(Action::kExport, file.path()), IsEmpty()) << "an empty one";
  EXPECT_THAT(Read(file.path()), StartsWith("# Gatehouse's federation data at revision 7; "));
  EXPECT_THAT(ErrorOf(Action::kExport, file.path()), IsEmpty());
  for (const std::string& other :
       {std::string("domains:\n  - name: contoso.example\n"), Database("GATE"), std::string("x")}) {
    const ScratchFile precious(other);
    EXPECT_EQ(ErrorOf(Action::kExport, precious.path()),
              "'" + precious.path() +
                  "' is there and is not an export of Gatehouse's; name another file, or remove "
                  "it\n");
    EXPECT_EQ(Read(precious.path()), other);
  }
}

TEST_F(DataFiles, ABackupReplacesABackupAndNothingElse) {
  const ScratchFile file("");
  EXPECT_THAT(ErrorOf(Action::kBackup, file.path()), IsEmpty()) << "an empty one";
  EXPECT_EQ(Read(file.path()), Database("GATE"));
  EXPECT_THAT(ErrorOf(Action::kBackup, file.path()), IsEmpty());
  for (const std::string& other :
       {std::string("# Gatehouse's federation data at revision 7\n"),
        Database(std::string(4, '\0')), Database("GATE").substr(0, 40)}) {
    const ScratchFile precious(other);
    EXPECT_THAT(ErrorOf(Action::kBackup, precious.path()),
                HasSubstr("is there and is not a backup of Gatehouse's; name another file"));
    EXPECT_EQ(Read(precious.path()), other);
  }
}

// The audit would have a backup that nobody has.
TEST_F(DataFiles, ACopyThatCannotBeKeptIsNotAskedFor) {
  FakeSupervisor supervisor;
  Invocation invocation;
  invocation.action = Action::kBackup;
  invocation.file = "/tmp/absent/x.db";
  invocation.request.mutable_backup_read();
  EXPECT_EQ(CarryOut(invocation, supervisor.AsOutside()).err,
            "'/tmp/absent/x.db' cannot be written: No such file or directory\n");
  EXPECT_THAT(supervisor.requests, IsEmpty());
}

}  // namespace
}  // namespace gatehouse::ctl
