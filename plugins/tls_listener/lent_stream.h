// An inbound stream whose peer takes stanzas of ours on it (2.14), as the outbound half sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/xmpp/stream_errors.h"

namespace gatehouse {

// Names a stream that is lent, for both halves; 0: none.
enum class LoanId : std::uint64_t {};

class LentStream {
 public:
  virtual ~LentStream() = default;
  // As StreamTransport's, for stanzas of pairs it was lent for.
  virtual void Write(std::string_view xml) = 0;
  virtual void WhenWritten(std::function<void()> done) = 0;
  [[nodiscard]] virtual std::size_t unwritten_bytes() const = 0;
  // The peer acknowledges what is written from now on.
  [[nodiscard]] virtual bool counts_ours() const = 0;
  // Ends the stream; the loan ends inside.
  virtual void EndWith(StreamCondition condition) = 0;
};

// Who sends on lent streams.
class Borrower {
 public:
  virtual ~Borrower() = default;
  // Stanzas from `local` to `remote` may go out on `stream`, from now until EndLoan. `so_far`: its
  // loan for other pairs. May write at once.
  virtual LoanId Lend(LentStream& stream, LoanId so_far, const std::string& local,
                      const std::string& remote) = 0;
  virtual void OnWritable(LoanId loan) = 0;
  // The peer has handled `h` stanzas. Gives how many were sent where that is not true.
  virtual std::optional<std::uint64_t> OnAcknowledged(LoanId loan, std::uint32_t h) = 0;
  // Stanzas the peer, or the kernel, does not have yet.
  [[nodiscard]] virtual bool HasUnsent(LoanId loan) const = 0;
  virtual void EndLoan(LoanId loan) = 0;
};

}  // namespace gatehouse
