// Walks a YAML document beside the descriptor of the message it is read into.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace gatehouse {

struct YamlNode;

// Where each key of a file stands.
struct YamlPlaces {
  std::string file;
  std::map<std::string, int, std::less<>> lines;  // by key, from 1
  // What stands in the file where it is another word for a key: "partners[0].expires".
  std::map<std::string, std::string, std::less<>> written;
  // Top keys below which something could not be read; an empty one: not even all top keys could.
  std::set<std::string, std::less<>> unread;
  // The keys themselves, such as "partners[0].tls".
  std::set<std::string, std::less<>> unread_keys;

  // The line of `key`, such as "listen.xmpp[1]", or of the nearest key above it that the file has.
  [[nodiscard]] int LineOf(std::string_view key) const;
  // Whether the file has the top key that `key` is below.
  [[nodiscard]] bool HasSectionOf(std::string_view key) const;
  // Whether the key, such as "partners[0]", or one below it could not be read.
  [[nodiscard]] bool IsUnread(std::string_view key) const;
  // "FILE:LINE: key 'KEY': WHAT", each as AsSentence has it: values of the file may be in them.
  [[nodiscard]] Error At(std::string_view key, std::string_view what) const;
  [[nodiscard]] Error At(int line, std::string_view key, std::string_view what) const;
};

[[nodiscard]] std::string_view NameOf(const google::protobuf::FieldDescriptor& field);

struct YamlWord {
  std::string plain;       // the "true" or the number it stands for; empty: it is no such word
  std::string_view right;  // which there are; empty: the field has no words of its own
};

// What is special in a message that is read.
struct YamlShape {
  // A field no key stands for.
  bool (*hides)(const google::protobuf::FieldDescriptor& field) =
      [](const google::protobuf::FieldDescriptor&) { return false; };
  // What a group of keys means where it leaves some out.
  void (*start)(google::protobuf::Message& message) = [](google::protobuf::Message&) {};
  // The key a field has in a file; its name is read too.
  std::string_view (*key)(const google::protobuf::FieldDescriptor& field) = NameOf;
  // A field whose values have words of their own.
  YamlWord (*word)(const google::protobuf::FieldDescriptor& field, const std::string& text) =
      [](const google::protobuf::FieldDescriptor&, const std::string&) { return YamlWord(); };
};

class YamlReader {
 public:
  YamlReader(YamlPlaces& places, YamlShape shape) : places_(places), shape_(shape) {}
  // Reads on behind a mistake, so that all of them are found; gives them in their order. What
  // yaml-cpp throws ends here. `beside` has further top keys; may be null.
  std::vector<Error> Read(std::string_view text, google::protobuf::Message& into,
                          google::protobuf::Message* beside = nullptr);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  void ReadDocument(std::string_view text, Message& into);
  void ReadMapping(const YamlNode& node, const std::string& path, Message& message);
  void ReadField(const YamlNode& node, const std::string& path, Message& message,
                 const Field& field);
  void ReadList(const YamlNode& node, const std::string& path, Message& message,
                const Field& field);
  void ReadScalar(const YamlNode& node, const std::string& path, Message& message,
                  const Field& field);
  void ReadEnum(const YamlNode& node, const std::string& path, Message& message,
                const Field& field);
  [[nodiscard]] std::string KeysOf(const google::protobuf::Descriptor& type) const;
  [[nodiscard]] static std::string UnknownKey(std::string_view key, std::string_view keys);
  // The field of a key; null where nothing is known by it.
  [[nodiscard]] const Field* FindField(const Message& message, const std::string& key) const;
  void Mistake(std::string_view key, std::string_view what);
  void NoteUnread(std::string_view key);
  // Of the text as a whole.
  void Mistake(int line, std::string_view what);
  void Remember(const YamlNode& node, const std::string& path);

  YamlPlaces& places_;
  YamlShape shape_;
  Message* beside_ = nullptr;
  std::vector<Error> mistakes_;
};

// The text of a file, by DecodeText.
//   fails  kConfig: it cannot be read, has more than `most_bytes`, or is no text ("FILE:LINE: why")
Result<std::string> ReadTextFile(const std::string& path, std::size_t most_bytes);

}  // namespace gatehouse
