// Requests of one connection that were read and wait for their turn, so that the answers behind
// them in the stream need not wait.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

class HeldRequests {
 public:
  void Add(std::string_view request) {
    requests_.emplace_back(request);
    bytes_ += request.size();
  }
  // The one that was there first; one there must be.
  [[nodiscard]] std::string Take() {
    std::string first = std::move(requests_.front());
    requests_.pop_front();
    bytes_ -= first.size();
    return first;
  }
  [[nodiscard]] bool empty() const { return requests_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::deque<std::string> requests_;
  std::size_t bytes_ = 0;
};

}  // namespace gatehouse
