#include "core/ctl/data_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "core/config/data_yaml.h"
#include "core/ctl/response_text.h"
#include "core/loop/owned_fd.h"

namespace gatehouse::ctl {
namespace {

// Far above what as many partners take as fit into a snapshot.
constexpr std::size_t kMaxDataFileBytes = std::size_t{64} * 1024 * 1024;

// What a part of a store may have at most (proto/ctl.proto).
constexpr std::size_t kPartBytes = std::size_t{4} * 1024 * 1024;
// Others may read what has no secrets; a whole store is its owner's.
constexpr mode_t kReadable = 0644;
constexpr mode_t kPrivate = 0600;

// A file in the making beside the one it shall replace, which stays until all of it is on the disk.
class FreshFile {
 public:
  FreshFile(std::string file, mode_t mode)
      : file_(std::move(file)),
        fresh_(file_ + ".new"),
        fd_((::unlink(fresh_.c_str()),
             ::open(fresh_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode))),
        open_errno_(fd_.get() < 0 ? errno : 0) {}
  ~FreshFile() { ::unlink(fresh_.c_str()); }
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;

  Result<void> Write(std::string_view text) {
    if (open_errno_ != 0) return Failed(open_errno_);
    while (!text.empty()) {
      const ssize_t done = ::write(fd_.get(), text.data(), text.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return Failed(errno);
      text.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
  }
  Result<void> TakeItsPlace() {
    if (::fsync(fd_.get()) != 0 || std::rename(fresh_.c_str(), file_.c_str()) != 0)
      return Failed(errno);
    return {};
  }

 private:
  [[nodiscard]] Result<void> Failed(int error) const {
    return Trouble(fmt::format("'{}' cannot be written: {}", file_, std::strerror(error)));
  }

  const std::string file_;
  const std::string fresh_;
  const OwnedFd fd_;
  const int open_errno_;
};

Result<void> ReplaceFile(const std::string& file, std::string_view text) {
  FreshFile fresh(file, kReadable);
  GATEHOUSE_TRY_VOID(fresh.Write(text));
  return fresh.TakeItsPlace();
}

Ending Told(const Invocation& invocation, std::string done) {
  proto::CtlResponse response;
  response.set_done(std::move(done));
  return {kDone,
          invocation.json ? ResponseJson(invocation.request, response) + '\n'
                          : ResponseText(invocation.request, response),
          {}};
}

struct Line {
  int line;
  std::string text;
};

std::string InOrder(std::vector<Line> lines) {
  std::ranges::stable_sort(lines, {}, &Line::line);
  std::string text;
  for (const Line& line : lines) text += line.text + '\n';
  return text;
}

std::string MistakesText(const proto::CtlResponse& response, const YamlPlaces& places) {
  std::vector<Line> lines;
  for (const proto::Mistake& mistake : response.mistakes())
    lines.push_back({places.LineOf(mistake.key()),
                     places.At(mistake.key(), mistake.record() + ": " + mistake.what()).text});
  return InOrder(std::move(lines));
}

}  // namespace

Ending ExportData(const Invocation& invocation, const Outside& outside) {
  const auto response = Call(invocation, invocation.request, outside);
  if (!response) return response.error();
  if (response->exit_code() != kDone)
    return {static_cast<int>(response->exit_code()), {}, response->error() + '\n'};
  const std::string text = fmt::format(
      "# Gatehouse's federation data at revision {}; bring it back with: "
      "gatehousectl apply -f FILE\n{}",
      response->revision(), DataYaml(response->federation_data()));
  if (invocation.file.empty())
    return {kDone, invocation.json ? ResponseJson(invocation.request, *response) + '\n' : text, {}};
  const Result<void> written = ReplaceFile(invocation.file, text);
  if (!written) return {kRefused, {}, written.error().text + '\n'};
  return Told(invocation,
              fmt::format("revision {} is in '{}'", response->revision(), invocation.file));
}

Ending ApplyData(const Invocation& invocation, const Outside& outside) {
  const Result<std::string> text = ReadTextFile(invocation.file, kMaxDataFileBytes);
  if (!text) return {kRefused, {}, text.error().text + '\n'};
  DataFile read = ReadDataYaml(*text, invocation.file);
  if (!read.mistakes.empty()) {
    Ending ending{kRefused, {}, {}};
    for (const Error& mistake : read.mistakes) ending.err += mistake.text + '\n';
    return ending;
  }
  proto::CtlRequest request = invocation.request;
  proto::Apply& apply = *request.mutable_apply();
  *apply.mutable_data() = std::move(read.data);
  for (std::string& section : read.sections) apply.add_sections(std::move(section));
  apply.set_file(invocation.file);
  const auto response = Call(invocation, request, outside);
  if (!response) return response.error();
  Ending ending{static_cast<int>(response->exit_code()), {}, {}};
  ending.err = MistakesText(*response, read.places);
  if (!response->error().empty()) ending.err += response->error() + '\n';
  if (ending.exit_code == kDone)
    ending.out = invocation.json ? ResponseJson(request, *response) + '\n'
                                 : ResponseText(request, *response);
  return ending;
}

Ending BackUp(const Invocation& invocation, const Outside& outside) {
  FreshFile fresh(invocation.file, kPrivate);
  proto::CtlRequest request = invocation.request;
  proto::BackupRead& wanted = *request.mutable_backup_read();
  while (true) {
    const auto response = Call(invocation, request, outside);
    if (!response) return response.error();
    if (response->exit_code() != kDone)
      return {static_cast<int>(response->exit_code()), {}, response->error() + '\n'};
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
    if (got <= 0) return {kRefused, {}, fmt::format("'{}' is empty\n", invocation.file)};
    bytes.resize(static_cast<std::size_t>(got));
    part.set_offset(offset);
    offset += bytes.size();
    part.set_last(offset >= static_cast<std::uint64_t>(info.st_size));
    const auto response = Call(invocation, request, outside);
    if (!response) return response.error();
    if (response->exit_code() != kDone)
      return {static_cast<int>(response->exit_code()), {}, response->error() + '\n'};
    if (!part.last()) continue;
    return {kDone,
            invocation.json ? ResponseJson(request, *response) + '\n'
                            : ResponseText(request, *response),
            {}};
  }
}

}  // namespace gatehouse::ctl
