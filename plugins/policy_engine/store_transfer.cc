#include "plugins/policy_engine/store_transfer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/loop/owned_fd.h"
#include "plugins/policy_engine/store_file.h"

namespace gatehouse::policy_engine {
namespace {

constexpr milliseconds kBetween{1};
constexpr mode_t kIncomingMode = 0600;

proto::CtlResponse Refused(std::string why) {
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error(std::move(why));
  return response;
}

std::unexpected<Error> SystemTrouble(const std::string& file) {
  return Trouble(fmt::format("'{}': {}", file, std::strerror(errno)));
}

}  // namespace

StoreTransfer::StoreTransfer(Loop& loop, Engine& engine, const std::string& folder)
    : engine_(engine),
      copy_file_(folder + "/policy.db.backup"),
      incoming_file_(folder + "/policy.db.incoming"),
      portions_(loop, [this] { CopyOn(); }) {
  // What a life that was ended in the middle has left.
  RemoveStoreFile(copy_file_);
  RemoveStoreFile(incoming_file_);
}

// --- backup

void StoreTransfer::Backup(const proto::CtlRequest& request, Reply reply) {
  const proto::BackupRead& wanted = request.backup_read();
  if (wanted.copy() != 0) {
    Result<proto::CtlResponse> part = PartOf(wanted);
    return reply(part ? *std::move(part) : Refused(part.error().text));
  }
  if (waiting_) return reply(Refused("another backup is being made; try again in a moment"));
  if (const Result<void> begun = Begin(); !begun)
    return reply(Refused("the store cannot be copied: " + begun.error().text));
  waiting_ = Waiting{request, std::move(reply)};
  portions_.StartRepeating(kBetween);
}

Result<void> StoreTransfer::Begin() {
  ++copy_;
  GATEHOUSE_TRY_VOID(CreatePrivateFile(copy_file_));
  GATEHOUSE_TRY(StoreCopy copying, engine_.CopyTo(copy_file_));
  copying_.emplace(std::move(copying));
  return {};
}

void StoreTransfer::CopyOn() {
  const Result<bool> done = copying_->Step(SqliteCopy::kPagesAtOnce);
  if (!done) return End(std::unexpected(done.error()));
  if (*done) End({});
}

void StoreTransfer::End(Result<void> how) {
  portions_.Stop();
  copying_.reset();
  const Waiting waiting = *std::exchange(waiting_, std::nullopt);
  if (how) how = engine_.NoteBackup(waiting.request, std::chrono::system_clock::now());
  if (!how) {
    RemoveStoreFile(copy_file_);
    return waiting.reply(Refused("the store cannot be copied: " + how.error().text));
  }
  proto::BackupRead first;
  first.set_copy(copy_);
  Result<proto::CtlResponse> part = PartOf(first);
  waiting.reply(part ? *std::move(part) : Refused(part.error().text));
}

Result<proto::CtlResponse> StoreTransfer::PartOf(const proto::BackupRead& wanted) {
  const OwnedFd file(::open(copy_file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (wanted.copy() != copy_ || file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return Trouble("this copy is there no more; begin anew");
  proto::CtlResponse response;
  proto::BackupPart& part = *response.mutable_backup();
  part.set_copy(copy_);
  part.set_size(static_cast<std::uint64_t>(info.st_size));
  std::string& bytes = *part.mutable_part();
  bytes.resize(kPartBytes);
  const ssize_t got =
      ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(wanted.offset()));
  if (got < 0) return SystemTrouble(copy_file_);
  bytes.resize(static_cast<std::size_t>(got));
  if (wanted.offset() + bytes.size() >= part.size()) RemoveStoreFile(copy_file_);
  return response;
}

// --- restore

proto::CtlResponse StoreTransfer::Restore(const proto::CtlRequest& request,
                                          std::chrono::system_clock::time_point now) {
  const proto::RestoreWrite& part = request.restore_write();
  // Two at once would be one file of parts of both.
  const std::string from = fmt::format("{} {}", request.actor(), part.file());
  if (part.offset() == 0) incoming_from_ = from;
  if (incoming_from_ != from) return Refused("another restore has begun meanwhile; begin anew");
  if (const Result<void> kept = Append(part); !kept) {
    RemoveStoreFile(incoming_file_);
    return Refused("the store cannot be taken in: " + kept.error().text);
  }
  if (!part.last()) return {};
  proto::CtlResponse response = engine_.TakeStore(incoming_file_, request, now);
  RemoveStoreFile(incoming_file_);
  return response;
}

Result<void> StoreTransfer::Append(const proto::RestoreWrite& part) {
  if (part.offset() == 0) RemoveStoreFile(incoming_file_);
  const int begins = part.offset() == 0 ? O_CREAT | O_EXCL : 0;
  const OwnedFd file(
      ::open(incoming_file_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | begins, kIncomingMode));
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return SystemTrouble(incoming_file_);
  if (static_cast<std::uint64_t>(info.st_size) != part.offset())
    return Trouble("its parts do not follow each other; begin anew");
  std::string_view rest = part.part();
  off_t at = info.st_size;
  while (!rest.empty()) {
    const ssize_t done = ::pwrite(file.get(), rest.data(), rest.size(), at);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return SystemTrouble(incoming_file_);
    at += done;
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace gatehouse::policy_engine
