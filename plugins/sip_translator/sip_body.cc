#include "plugins/sip_translator/sip_body.h"

#include "plugins/sip_translator/charset.h"
#include "plugins/sip_translator/text.h"

namespace gatehouse::translator {
namespace {

using TextResult = Result<std::string, Refusal>;

TextResult ReadAt(const MimeEntity& entity, int depth);

bool IsSignalType(std::string_view type) {
  return type == "application/im-iscomposing+xml" || type == "message/imdn+xml";
}

std::unexpected<Refusal> Unsupported(std::string_view why) {
  return std::unexpected(Refusal{415, why});
}

TextResult ReadText(const MimeEntity& entity) {
  auto octets = DecodeTransfer(entity.body, entity.transfer_encoding);
  if (!octets) return Unsupported("transfer encoding");
  auto text = DecodeCharset(*std::move(octets), MediaParameter(entity.content_type, "charset"));
  if (!text) return Unsupported("charset");
  return CleanForXmpp(*std::move(text));
}

// The first part that can be read as text wins. A part of another type is no reason to refuse; a
// broken one is.
TextResult ReadAlternative(const MimeEntity& entity, int depth) {
  GATEHOUSE_TRY(const auto parts,
                SplitMultipart(entity.body, MediaParameter(entity.content_type, "boundary")));
  for (const MimeEntity& part : parts) {
    auto text = ReadAt(part, depth + 1);
    if (text || text.error().status != 415) return text;
  }
  return Unsupported("no text/plain alternative");
}

TextResult ReadRelated(const MimeEntity& entity, int depth) {
  GATEHOUSE_TRY(const auto parts,
                SplitMultipart(entity.body, MediaParameter(entity.content_type, "boundary")));
  if (parts.empty()) return Unsupported("multipart/related without a root");
  return ReadAt(parts.front(), depth + 1);
}

// Message headers, an empty line, then an entity. RFC 3862 §2.1
MimeEntity ContentOfCpim(const MimeEntity& cpim) {
  return ReadEntity(ReadEntity(cpim.body).body);
}

TextResult ReadAt(const MimeEntity& entity, int depth) {
  if (depth > kMaxMimeDepth) return std::unexpected(Refusal{400, "nested too deep"});
  const std::string type =
      entity.content_type.empty() && depth > 0 ? "text/plain" : MediaType(entity.content_type);
  if (type == "text/plain") return ReadText(entity);
  if (type == "multipart/alternative") return ReadAlternative(entity, depth);
  if (type == "multipart/related") return ReadRelated(entity, depth);
  if (type == "message/cpim") return ReadAt(ContentOfCpim(entity), depth + 1);
  if (IsSignalType(type)) return std::string();
  return Unsupported("media type");
}

}  // namespace

bool IsSignal(const MimeEntity& entity) {
  const std::string type = MediaType(entity.content_type);
  return IsSignalType(type) ||
         (type == "message/cpim" && IsSignalType(MediaType(ContentOfCpim(entity).content_type)));
}

Result<std::string, Refusal> ReadPlainText(const MimeEntity& entity) {
  if (entity.body.empty()) return std::string();
  return ReadAt(entity, 0);
}

}  // namespace gatehouse::translator
