// Walks a YAML document beside the descriptor of proto::Config.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace YAML {
class Node;
}
namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace gatehouse {

class YamlReader {
 public:
  explicit YamlReader(YamlConfig& into) : into_(into) {}
  // What yaml-cpp throws ends here.
  Result<void> Read(std::string_view text);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  Result<void> ReadDocument(std::string_view text);
  Result<void> ReadMapping(const YAML::Node& node, const std::string& path, Message& message);
  Result<void> ReadField(const YAML::Node& node, const std::string& path, Message& message,
                         const Field& field);
  Result<void> ReadList(const YAML::Node& node, const std::string& path, Message& message,
                        const Field& field);
  Result<void> ReadScalar(const YAML::Node& node, const std::string& path, Message& message,
                          const Field& field);
  void Remember(const YAML::Node& node, const std::string& path);

  YamlConfig& into_;
};

}  // namespace gatehouse
