// Two bare addresses in one string: the pair whose messages stay in order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/xmpp/jid.h"

namespace gatehouse::translator {

// "from to".
class PairName {
 public:
  PairName(const Jid& from, const Jid& to) {
    text_.reserve(from.local.size() + from.domain.size() + to.local.size() + to.domain.size() + 3);
    Append(from);
    from_bytes_ = text_.size();
    text_ += ' ';
    Append(to);
  }
  [[nodiscard]] std::string_view from() const { return whole().substr(0, from_bytes_); }
  [[nodiscard]] std::string_view to() const { return whole().substr(from_bytes_ + 1); }
  // Leaves it empty.
  [[nodiscard]] std::string TakeText() { return std::move(text_); }

 private:
  [[nodiscard]] std::string_view whole() const { return text_; }
  void Append(const Jid& jid) {
    text_ += jid.local;
    if (!jid.local.empty()) text_ += '@';
    text_ += jid.domain;
  }
  std::string text_;
  std::size_t from_bytes_ = 0;
};

}  // namespace gatehouse::translator
