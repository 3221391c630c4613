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
  static constexpr std::size_t kMostBytes{256U << 10U};
  static constexpr std::size_t kMostBytesOfAll{16U << 20U};

  // `bytes_of_all` is what all connections hold together, and outlives this object.
  explicit HeldRequests(std::size_t& bytes_of_all) : bytes_of_all_(bytes_of_all) {}
  ~HeldRequests() { bytes_of_all_ -= bytes_; }
  HeldRequests(const HeldRequests&) = delete;
  HeldRequests& operator=(const HeldRequests&) = delete;

  void Add(std::string_view request) {
    requests_.emplace_back(request);
    bytes_ += request.size();
    bytes_of_all_ += request.size();
  }
  // The one that was there first; one there must be.
  [[nodiscard]] std::string Take() {
    std::string first = std::move(requests_.front());
    requests_.pop_front();
    bytes_ -= first.size();
    bytes_of_all_ -= first.size();
    return first;
  }
  [[nodiscard]] bool empty() const { return requests_.empty(); }
  [[nodiscard]] std::size_t size() const { return requests_.size(); }
  // No more is to be added. Overrun by one request.
  [[nodiscard]] bool full() const {
    return bytes_ >= kMostBytes || bytes_of_all_ >= kMostBytesOfAll;
  }

 private:
  std::deque<std::string> requests_;
  std::size_t bytes_ = 0;
  std::size_t& bytes_of_all_;
};

}  // namespace gatehouse
