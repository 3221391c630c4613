// Files that gatehousectl writes.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/owned_fd.h"

namespace gatehouse::ctl {

// Others may read what has no secrets; a whole store is its owner's, and so is what is about
// people.
inline constexpr mode_t kReadable = 0644;
inline constexpr mode_t kPrivate = 0600;

// A file in the making beside the one it shall replace, which stays until all of it is on the disk.
class FreshFile {
 public:
  enum class Over : bool { kNothing, kTheOld };  // what it may take the place of
  FreshFile(std::string file, mode_t mode, Over over = Over::kTheOld);
  ~FreshFile();
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;

  // Fails, with the file's name, when it cannot be written; the first time also when it cannot be
  // made.
  //   fails  kConfig: there is one already, and it shall stay
  Result<void> Write(std::string_view text);
  Result<void> TakeItsPlace();

 private:
  [[nodiscard]] Result<void> Failed(int error) const;

  const std::string file_;
  const std::string fresh_;
  const OwnedFd fd_;
  const int open_errno_;
  const Over over_;
};

// A file for a private key: its owner's alone, and never in place of another. Gone again with this
// object unless all of the key is in it.
class KeyFile {
 public:
  //   fails  kConfig: there is one already; kTrouble: it cannot be made
  static Result<KeyFile> Create(std::string file);
  KeyFile(KeyFile&& other) noexcept;
  KeyFile& operator=(KeyFile&&) = delete;
  ~KeyFile();

  Result<void> Write(std::string_view key);  // onto the disk; still gone unless Keep
  void Keep() { file_.clear(); }

 private:
  KeyFile(std::string file, OwnedFd fd) : file_(std::move(file)), fd_(std::move(fd)) {}

  std::string file_;  // empty: it stays
  OwnedFd fd_;
};

// At most the first `max_bytes` octets of a file.
//   fails  kConfig: it cannot be read, or is a folder
Result<std::string> ReadFileHead(const std::string& file, std::size_t max_bytes);

}  // namespace gatehouse::ctl
