// gatehouse.yaml into proto::Config, with the line of every mistake.
//
// Every error is one line: "FILE:LINE: key 'a.b': what is wrong; what would be right".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/yaml_reader.h"
#include "proto/config.pb.h"

namespace gatehouse {

// The configuration and where each key stands: what checks it later can still name the line.
class YamlConfig {
 public:
  // Reads `text` by the fields of proto::Config. `file` is for messages only.
  //   fails  kConfig: malformed YAML, an unknown key (with the nearest known one), a key given
  //   twice, a wrong type
  static Result<YamlConfig> Parse(std::string_view text, std::string_view file);
  // The same, but reads on behind a mistake: all of them are in mistakes(), in their order.
  static YamlConfig ReadAll(std::string_view text, std::string_view file);
  // The two for a file.
  //   fails  also when it cannot be opened
  static Result<YamlConfig> ReadFile(const std::string& path);
  static Result<YamlConfig> ReadAllOf(const std::string& path);

  [[nodiscard]] const proto::Config& config() const { return config_; }
  [[nodiscard]] proto::Config& config() { return config_; }
  [[nodiscard]] const std::string& file() const { return places_.file; }

  // An error at `key`, such as "listen.xmpp[1]", or at the nearest key above it that the file has.
  [[nodiscard]] Error At(std::string_view key, std::string_view what) const {
    return places_.At(key, what);
  }
  // What is not wrong but most likely not meant, each in one line as of At.
  void Warn(std::string_view key, std::string_view what) {
    warnings_.push_back(At(key, what).text);
  }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  // Keeps the mistake that something checked has, if it has one.
  void Note(Result<void> checked) {
    if (!checked) mistakes_.push_back(std::move(checked).error());
  }
  [[nodiscard]] const std::vector<Error>& mistakes() const { return mistakes_; }
  // Nothing where there is no mistake; else the first.
  [[nodiscard]] Result<void> FirstMistake() const {
    if (mistakes_.empty()) return {};
    return std::unexpected(mistakes_.front());
  }
  // Whether all that the file has of the section (a top key) could be read, so that what is wrong
  // with its values is no mistake told already.
  [[nodiscard]] bool IsRead(std::string_view section) const;

 private:
  proto::Config config_;
  YamlPlaces places_;
  std::vector<std::string> warnings_;
  std::vector<Error> mistakes_;
};

// The candidate that `word` most likely stands for: the nearest by letters, or the only one that
// goes on where it ends, such as trust_anchors for "trust". Nothing where there is none.
//   candidates  separated by one blank each
std::string_view NearestWord(std::string_view word, std::string_view candidates);

}  // namespace gatehouse
