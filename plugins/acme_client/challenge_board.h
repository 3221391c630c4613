// What the CA finds by http-01 (RFC 8555 §8.3).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::acme {

class ChallengeBoard {
 public:
  void Put(const std::string& token, std::string content) { contents_[token] = std::move(content); }
  void Take(const std::string& token) { contents_.erase(token); }
  // Of "/.well-known/acme-challenge/TOKEN", and of nothing else.
  [[nodiscard]] std::optional<std::string> Find(std::string_view target) const {
    constexpr std::string_view kFolder = "/.well-known/acme-challenge/";
    if (!target.starts_with(kFolder)) return std::nullopt;
    const auto found = contents_.find(target.substr(kFolder.size()));
    if (found == contents_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string, std::less<>> contents_;
};

}  // namespace gatehouse::acme
