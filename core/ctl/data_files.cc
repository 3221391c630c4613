#include "core/ctl/data_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/config/data_yaml.h"
#include "core/ctl/apply_data.h"
#include "core/ctl/contact_pages.h"
#include "core/ctl/fresh_file.h"
#include "core/ctl/response_text.h"
#include "core/loop/owned_fd.h"

namespace gatehouse::ctl {
namespace {

// What a part of a store may have at most (proto/ctl.proto).
constexpr std::size_t kPartBytes = std::size_t{4} * 1024 * 1024;

constexpr std::string_view kExportBegins = "# Gatehouse's federation data ";

bool IsExport(std::string_view head) {
  return head.starts_with(kExportBegins);
}

// By the header of SQLite's format, with the application's number at octet 68.
bool IsStore(std::string_view head) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  constexpr std::string_view kGatehouse = "GATE";
  return head.starts_with(kMagic) && head.size() >= 72 && head.substr(68, 4) == kGatehouse;
}

// What a file is replaced by, and may hold before.
struct FileKind {
  std::string_view name;
  bool (*is_one)(std::string_view head);
};
constexpr FileKind kExport{"an export of Gatehouse's", IsExport};
constexpr FileKind kStore{"a backup of Gatehouse's", IsStore};

// What is there already may be replaced if it is empty, or of the same kind and nobody is at work
// with it.
Result<void> MayReplace(const std::string& file, const FileKind& kind) {
  struct stat info{};
  if (::lstat(file.c_str(), &info) != 0) return {};
  if (!S_ISREG(info.st_mode))
    return Trouble(fmt::format("'{}' is no ordinary file; name another", file));
  struct stat log{};
  if (::lstat((file + "-wal").c_str(), &log) == 0)
    return Trouble(fmt::format("'{}' is a store in use; name another file", file));
  if (info.st_size == 0) return {};
  const OwnedFd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<char, 128> head{};
  const ssize_t got = opened.get() < 0 ? -1 : ::pread(opened.get(), head.data(), head.size(), 0);
  if (got < 0)
    return Trouble(
        fmt::format("'{}' is there and cannot be read: {}; name another file, or remove "
                    "it",
                    file, std::strerror(errno)));
  if (kind.is_one(std::string_view(head.data(), static_cast<std::size_t>(got)))) return {};
  return Trouble(
      fmt::format("'{}' is there and is not {}; name another file, or remove it", file, kind.name));
}

Result<void> ReplaceFile(const std::string& file, mode_t mode, std::string_view text) {
  GATEHOUSE_TRY_VOID(MayReplace(file, kExport));
  FreshFile fresh(file, mode);
  GATEHOUSE_TRY_VOID(fresh.Write(text));
  return fresh.TakeItsPlace();
}

Ending Told(const Invocation& invocation, std::string done) {
  proto::CtlResponse response;
  response.set_done(std::move(done));
  return {kDone, Shown(invocation, invocation.request, response), {}};
}

}  // namespace

Ending ExportData(const Invocation& invocation, const Outside& outside) {
  const auto response = GoodAnswer(invocation, invocation.request, outside);
  if (!response) return response.error();
  std::string text =
      fmt::format("{}at revision {}; bring it back with: gatehousectl apply -f FILE\n{}",
                  kExportBegins, response->revision(), DataYaml(response->federation_data()));
  std::string json = ResponseJson(invocation.request, *response);
  if (invocation.contacts) {
    const Result<ContactMarks, Ending> marks = MarksInStore(invocation, outside);
    if (!marks) return marks.error();
    text += ContactsYaml(ViewsOf(*marks));
    json.pop_back();
    json += fmt::format(",\"contacts\":{}}}", MarksJson(*marks));
  }
  if (invocation.file.empty()) return {kDone, invocation.json ? json + '\n' : text, {}};
  if (text.size() > kMaxDataFileBytes)
    return {
        kRefused,
        {},
        fmt::format(
            "the data has {} octets, more than the {} that apply takes; use gatehousectl backup\n",
            text.size(), kMaxDataFileBytes)};
  const Result<void> written =
      ReplaceFile(invocation.file, invocation.contacts ? kPrivate : kReadable, text);
  if (!written) return {kRefused, {}, written.error().text + '\n'};
  return Told(invocation,
              fmt::format("revision {} is in '{}'", response->revision(), invocation.file));
}

Ending BackUp(const Invocation& invocation, const Outside& outside) {
  if (const Result<void> may = MayReplace(invocation.file, kStore); !may)
    return {kRefused, {}, may.error().text + '\n'};
  FreshFile fresh(invocation.file, kPrivate);
  // Before a copy is made that nobody could keep.
  if (const Result<void> can = fresh.Write({}); !can)
    return {kRefused, {}, can.error().text + '\n'};
  proto::CtlRequest request = invocation.request;
  proto::BackupRead& wanted = *request.mutable_backup_read();
  while (true) {
    const auto response = GoodAnswer(invocation, request, outside);
    if (!response) return response.error();
    const proto::BackupPart& part = response->backup();
    if (part.part().empty()) return {kRefused, {}, "the backup came to an early end; try again\n"};
    if (const Result<void> written = fresh.Write(part.part()); !written)
      return {kRefused, {}, written.error().text + '\n'};
    wanted.set_copy(part.copy());
    wanted.set_offset(wanted.offset() + part.part().size());
    if (wanted.offset() >= part.size()) break;
  }
  if (const Result<void> done = fresh.TakeItsPlace(); !done)
    return {kRefused, {}, done.error().text + '\n'};
  return Told(invocation, fmt::format("{} octets are in '{}'", wanted.offset(), invocation.file));
}

Ending Restore(const Invocation& invocation, const Outside& outside) {
  const OwnedFd file(::open(invocation.file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return {kRefused,
            {},
            fmt::format("'{}' cannot be read: {}\n", invocation.file, std::strerror(errno))};
  proto::CtlRequest request = invocation.request;
  proto::RestoreWrite& part = *request.mutable_restore_write();
  part.set_file(invocation.file);
  std::uint64_t offset = 0;
  while (true) {
    std::string& bytes = *part.mutable_part();
    bytes.resize(kPartBytes);
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got <= 0)
      return {kRefused,
              {},
              fmt::format(
                  "'{}' {}; name a backup\n", invocation.file,
                  got == 0 ? "is empty" : fmt::format("cannot be read: {}", std::strerror(errno)))};
    bytes.resize(static_cast<std::size_t>(got));
    part.set_offset(offset);
    offset += bytes.size();
    part.set_last(offset >= static_cast<std::uint64_t>(info.st_size));
    const auto response = GoodAnswer(invocation, request, outside);
    if (!response) return response.error();
    if (part.last()) return {kDone, Shown(invocation, request, *response), {}};
  }
}

}  // namespace gatehouse::ctl
