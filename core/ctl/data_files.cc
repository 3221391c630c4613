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

namespace gatehouse::ctl {
namespace {

// Far above what as many partners take as fit into a snapshot.
constexpr std::size_t kMaxDataFileBytes = std::size_t{64} * 1024 * 1024;

Result<void> WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Trouble(std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  if (::fsync(fd) != 0 && errno != EINVAL) return Trouble(std::strerror(errno));
  return {};
}

// The file that stood there stays until all of the new one is on the disk.
Result<void> ReplaceFile(const std::string& file, std::string_view text) {
  const std::string fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0)
    return Trouble(fmt::format("'{}' cannot be written: {}", fresh, std::strerror(errno)));
  const Result<void> written = WriteAll(fd, text);
  ::close(fd);
  if (written && std::rename(fresh.c_str(), file.c_str()) == 0) return {};
  const std::string why = written ? std::strerror(errno) : written.error().text;
  ::unlink(fresh.c_str());
  return Trouble(fmt::format("'{}' cannot be written: {}", file, why));
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
  const Result<proto::CtlResponse> response = outside.call(invocation.request, invocation.limit);
  if (!response) return Unreachable(invocation, response.error());
  if (response->exit_code() != kDone)
    return {static_cast<int>(response->exit_code()), {}, response->error() + '\n'};
  const std::string text = invocation.json
                               ? ResponseJson(invocation.request, *response) + '\n'
                               : fmt::format(
                                     "# Gatehouse's federation data at revision {}; bring it back "
                                     "with: gatehousectl apply -f FILE\n{}",
                                     response->revision(), DataYaml(response->federation_data()));
  if (invocation.file.empty()) return {kDone, text, {}};
  const Result<void> written = ReplaceFile(invocation.file, text);
  if (!written) return {kRefused, {}, written.error().text + '\n'};
  return {
      kDone, fmt::format("revision {} is in '{}'\n", response->revision(), invocation.file), {}};
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
  const Result<proto::CtlResponse> response = outside.call(request, invocation.limit);
  if (!response) return Unreachable(invocation, response.error());
  Ending ending{static_cast<int>(response->exit_code()), {}, {}};
  ending.err = MistakesText(*response, read.places);
  if (!response->error().empty()) ending.err += response->error() + '\n';
  if (ending.exit_code == kDone)
    ending.out = invocation.json ? ResponseJson(request, *response) + '\n'
                                 : ResponseText(request, *response);
  return ending;
}

}  // namespace gatehouse::ctl
