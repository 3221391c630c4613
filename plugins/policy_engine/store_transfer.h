// Carries a whole store out and in, in parts, while it is in use: `backup` and `restore`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/loop/timer.h"
#include "plugins/policy_engine/engine.h"

namespace gatehouse::policy_engine {

class StoreTransfer {
 public:
  using Reply = std::function<void(proto::CtlResponse)>;
  static constexpr std::size_t kPartBytes = std::size_t{4} * 1024 * 1024;

  // Copies and what comes in lie in `folder`, the store's own.
  StoreTransfer(Loop& loop, Engine& engine, const std::string& folder);

  // The first part once the copy is made, the others at once. The copy is consistent, is made in
  // portions between other work, and is removed with its last part; a new one replaces one that was
  // not fetched to its end.
  void Backup(const proto::CtlRequest& request, Reply reply);
  // Each part follows the one before it. The last makes the engine take the store it has been
  // given, as Engine::TakeStore does.
  [[nodiscard]] proto::CtlResponse Restore(const proto::CtlRequest& request,
                                           std::chrono::system_clock::time_point now);

 private:
  struct Waiting {
    proto::CtlRequest request;
    Reply reply;
  };
  Result<void> Begin();
  void CopyOn();
  void End(Result<void> how);
  Result<proto::CtlResponse> PartOf(const proto::BackupRead& wanted);
  Result<void> Append(const proto::RestoreWrite& part);

  Engine& engine_;
  const std::string copy_file_;
  const std::string incoming_file_;
  std::string incoming_from_;  // who restores which file
  std::uint64_t copy_ = 0;     // the number of the copy that is being made or fetched
  std::optional<StoreCopy> copying_;
  std::optional<Waiting> waiting_;  // for the copy to be made
  Timer portions_;
};

}  // namespace gatehouse::policy_engine
