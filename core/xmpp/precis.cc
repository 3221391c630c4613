#include "core/xmpp/precis.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gatehouse {
namespace {

using Utf16 = std::u16string;
using CodePoints = std::vector<UChar32>;

// The derived property of one code point. RFC 8264 §8
enum class Property : std::uint8_t { kValid, kFreeformOnly, kContextJ, kContextO, kDisallowed };

Result<Utf16> FromUtf8(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  Utf16 wide(text.size(), u'\0');
  std::int32_t size = 0;
  u_strFromUTF8(wide.data(), static_cast<std::int32_t>(wide.size()), &size, text.data(),
                static_cast<std::int32_t>(text.size()), &status);
  if (U_FAILURE(status)) return BadPeer("address: not UTF-8");
  wide.resize(static_cast<std::size_t>(size));
  return wide;
}

Result<std::string> ToUtf8(const Utf16& wide) {
  UErrorCode status = U_ZERO_ERROR;
  std::string text(wide.size() * 3 + 1, '\0');
  std::int32_t size = 0;
  u_strToUTF8(text.data(), static_cast<std::int32_t>(text.size()), &size, wide.data(),
              static_cast<std::int32_t>(wide.size()), &status);
  if (U_FAILURE(status)) return BadPeer("address: not UTF-16");
  text.resize(static_cast<std::size_t>(size));
  return text;
}

CodePoints Split(const Utf16& wide) {  // NOLINT(readability-function-size): ICU's macro
  CodePoints points;
  const auto size = static_cast<std::int32_t>(wide.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 point = 0;
    U16_NEXT(wide.data(), i, size, point);
    points.push_back(point);
  }
  return points;
}

Utf16 JoinPoints(std::span<const UChar32> points) {
  Utf16 wide;
  for (const UChar32 point : points) {
    if (point > 0xFFFF) {
      wide += static_cast<char16_t>(U16_LEAD(point));
      wide += static_cast<char16_t>(U16_TRAIL(point));
    } else {
      wide += static_cast<char16_t>(point);
    }
  }
  return wide;
}

Result<Utf16> Normalize(const UNormalizer2* form, const Utf16& wide) {
  UErrorCode status = U_ZERO_ERROR;
  Utf16 out(wide.size() * 4 + 16, u'\0');
  const std::int32_t size =
      unorm2_normalize(form, wide.data(), static_cast<std::int32_t>(wide.size()), out.data(),
                       static_cast<std::int32_t>(out.size()), &status);
  if (U_FAILURE(status)) return BadPeer("address: cannot be normalised");
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Result<Utf16> ToNfc(const Utf16& wide) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfc = unorm2_getNFCInstance(&status);
  if (U_FAILURE(status)) return Trouble("ICU: no NFC data");
  return Normalize(nfc, wide);
}

Result<Utf16> ToLower(const Utf16& wide) {
  UErrorCode status = U_ZERO_ERROR;
  Utf16 out(wide.size() * 3 + 4, u'\0');
  const std::int32_t size =
      u_strToLower(out.data(), static_cast<std::int32_t>(out.size()), wide.data(),
                   static_cast<std::int32_t>(wide.size()), "", &status);
  if (U_FAILURE(status)) return BadPeer("address: cannot be lower-cased");
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// Fullwidth and halfwidth code points become their decomposition. RFC 8265 §3.3.2 no. 1
Result<Utf16> MapWidth(const Utf16& wide) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfkc = unorm2_getNFKCInstance(&status);
  if (U_FAILURE(status)) return Trouble("ICU: no NFKC data");
  Utf16 out;
  for (const UChar32 point : Split(wide)) {
    const int kind = u_getIntPropertyValue(point, UCHAR_DECOMPOSITION_TYPE);
    const std::array one{point};
    if (kind != U_DT_WIDE && kind != U_DT_NARROW) {
      out += JoinPoints(one);
      continue;
    }
    GATEHOUSE_TRY(const Utf16 mapped, Normalize(nfkc, JoinPoints(one)));
    out += mapped;
  }
  return out;
}

// Is NFKC of the code point another text? RFC 8264 §9.17
bool HasCompatibilityForm(UChar32 point) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfkc = unorm2_getNFKCInstance(&status);
  if (U_FAILURE(status)) return true;
  const std::array one{point};
  const Utf16 text = JoinPoints(one);
  const auto mapped = Normalize(nfkc, text);
  return !mapped || *mapped != text;
}

bool IsOldHangulJamo(UChar32 point) {
  const int kind = u_getIntPropertyValue(point, UCHAR_HANGUL_SYLLABLE_TYPE);
  return kind == U_HST_LEADING_JAMO || kind == U_HST_VOWEL_JAMO || kind == U_HST_TRAILING_JAMO;
}

// RFC 5892 §2.6, which RFC 8264 §9.6 takes over. kFreeformOnly: no exception.
Property ExceptionOf(UChar32 point) {
  constexpr std::array<UChar32, 6> kValid = {0x00DF, 0x03C2, 0x06FD, 0x06FE, 0x0F0B, 0x3007};
  constexpr std::array<UChar32, 5> kContext = {0x00B7, 0x0375, 0x05F3, 0x05F4, 0x30FB};
  constexpr std::array<UChar32, 10> kNever = {0x0640, 0x07FA, 0x302E, 0x302F, 0x3031,
                                              0x3032, 0x3033, 0x3034, 0x3035, 0x303B};
  if (std::ranges::find(kValid, point) != kValid.end()) return Property::kValid;
  if (std::ranges::find(kContext, point) != kContext.end()) return Property::kContextO;
  if (point >= 0x0660 && point <= 0x0669) return Property::kContextO;
  if (point >= 0x06F0 && point <= 0x06F9) return Property::kContextO;
  if (std::ranges::find(kNever, point) != kNever.end()) return Property::kDisallowed;
  return Property::kFreeformOnly;
}

Property ByCategory(UChar32 point) {
  constexpr std::uint32_t kLetterDigits = U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK |
                                          U_GC_ND_MASK | U_GC_LM_MASK | U_GC_MN_MASK | U_GC_MC_MASK;
  constexpr std::uint32_t kFreeform = U_GC_LT_MASK | U_GC_NL_MASK | U_GC_NO_MASK | U_GC_ME_MASK |
                                      U_GC_ZS_MASK | U_GC_S_MASK | U_GC_P_MASK;
  const std::uint32_t category = U_GET_GC_MASK(point);
  if ((category & kLetterDigits) != 0) return Property::kValid;
  return (category & kFreeform) != 0 ? Property::kFreeformOnly : Property::kDisallowed;
}

Property PropertyOf(UChar32 point) {
  const Property exception = ExceptionOf(point);
  if (exception != Property::kFreeformOnly) return exception;
  if (u_charType(point) == U_UNASSIGNED) return Property::kDisallowed;
  if (point >= 0x21 && point <= 0x7E) return Property::kValid;
  if (point == 0x200C || point == 0x200D) return Property::kContextJ;
  if (IsOldHangulJamo(point)) return Property::kDisallowed;
  if (u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return Property::kDisallowed;
  if (u_hasBinaryProperty(point, UCHAR_NONCHARACTER_CODE_POINT)) return Property::kDisallowed;
  if (u_charType(point) == U_CONTROL_CHAR) return Property::kDisallowed;
  if (HasCompatibilityForm(point)) return Property::kFreeformOnly;
  return ByCategory(point);
}

constexpr std::uint8_t kVirama = 9;

bool FollowsVirama(const CodePoints& text, std::size_t at) {
  return at > 0 && u_getCombiningClass(text[at - 1]) == kVirama;
}

int JoiningType(UChar32 point) {
  return u_getIntPropertyValue(point, UCHAR_JOINING_TYPE);
}

// (L|D) T* ZWNJ T* (R|D). RFC 5892 appendix A.1
bool BreaksCursiveConnection(const CodePoints& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && JoiningType(text[before - 1]) == U_JT_TRANSPARENT) --before;
  std::size_t after = at + 1;
  while (after < text.size() && JoiningType(text[after]) == U_JT_TRANSPARENT) ++after;
  if (before == 0 || after == text.size()) return false;
  const int left = JoiningType(text[before - 1]);
  const int right = JoiningType(text[after]);
  return (left == U_JT_LEFT_JOINING || left == U_JT_DUAL_JOINING) &&
         (right == U_JT_RIGHT_JOINING || right == U_JT_DUAL_JOINING);
}

bool HasScript(UChar32 point, UScriptCode script) {
  return u_getIntPropertyValue(point, UCHAR_SCRIPT) == script;
}

bool AnyIn(const CodePoints& text, UChar32 first, UChar32 last) {
  return std::ranges::any_of(text, [=](UChar32 p) { return p >= first && p <= last; });
}

// RFC 5892 appendix A.3 to A.9
bool ContextRuleHolds(const CodePoints& text, std::size_t at) {
  const UChar32 point = text[at];
  const UChar32 before = at > 0 ? text[at - 1] : 0;
  const UChar32 after = at + 1 < text.size() ? text[at + 1] : 0;
  if (point == 0x00B7) return before == 'l' && after == 'l';
  if (point == 0x0375) return HasScript(after, USCRIPT_GREEK);
  if (point == 0x05F3 || point == 0x05F4) return HasScript(before, USCRIPT_HEBREW);
  if (point == 0x30FB)
    return std::ranges::any_of(text, [](UChar32 p) {
      return HasScript(p, USCRIPT_HIRAGANA) || HasScript(p, USCRIPT_KATAKANA) ||
             HasScript(p, USCRIPT_HAN);
    });
  if (point >= 0x0660 && point <= 0x0669) return !AnyIn(text, 0x06F0, 0x06F9);
  return !AnyIn(text, 0x0660, 0x0669);
}

enum class StringClass : std::uint8_t { kIdentifier, kFreeform };

bool IsInClass(const CodePoints& text, StringClass wanted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (PropertyOf(text[i])) {
      case Property::kValid:
        break;
      case Property::kFreeformOnly:
        if (wanted == StringClass::kIdentifier) return false;
        break;
      case Property::kContextJ:
        if (FollowsVirama(text, i)) break;
        if (text[i] == 0x200C && BreaksCursiveConnection(text, i)) break;
        return false;
      case Property::kContextO:
        if (!ContextRuleHolds(text, i)) return false;
        break;
      case Property::kDisallowed:
        return false;
    }
  }
  return true;
}

bool IsOneOf(UCharDirection direction, std::initializer_list<UCharDirection> kinds) {
  return std::ranges::find(kinds, direction) != kinds.end();
}

bool IsRightToLeft(UCharDirection direction) {
  return IsOneOf(direction, {U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC, U_ARABIC_NUMBER});
}

// RFC 5893 §2, rules 2 to 4
bool RightToLeftRuleHolds(const CodePoints& text, UCharDirection last) {
  bool european = false;
  bool arabic = false;
  for (const UChar32 point : text) {
    const UCharDirection direction = u_charDirection(point);
    if (!IsOneOf(direction, {U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC, U_ARABIC_NUMBER,
                             U_EUROPEAN_NUMBER, U_EUROPEAN_NUMBER_SEPARATOR,
                             U_COMMON_NUMBER_SEPARATOR, U_EUROPEAN_NUMBER_TERMINATOR,
                             U_OTHER_NEUTRAL, U_BOUNDARY_NEUTRAL, U_DIR_NON_SPACING_MARK}))
      return false;
    european = european || direction == U_EUROPEAN_NUMBER;
    arabic = arabic || direction == U_ARABIC_NUMBER;
  }
  return !(european && arabic) && IsOneOf(last, {U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC,
                                                 U_EUROPEAN_NUMBER, U_ARABIC_NUMBER});
}

// RFC 5893 §2: only text with a right-to-left code point is concerned. RFC 8265 §3.3.2 no. 5
bool BidiRuleHolds(const CodePoints& text) {
  const bool concerned = std::ranges::any_of(
      text, [](UChar32 point) { return IsRightToLeft(u_charDirection(point)); });
  if (!concerned) return true;
  std::size_t end = text.size();
  while (end > 0 && u_charDirection(text[end - 1]) == U_DIR_NON_SPACING_MARK) --end;
  if (end == 0) return false;
  const UCharDirection first = u_charDirection(text[0]);
  if (first != U_RIGHT_TO_LEFT && first != U_RIGHT_TO_LEFT_ARABIC) return false;  // rules 1, 5, 6
  return RightToLeftRuleHolds(text, u_charDirection(text[end - 1]));
}

}  // namespace

Result<std::string> PrecisUsernameCaseMapped(std::string_view text) {
  GATEHOUSE_TRY(const Utf16 wide, FromUtf8(text));
  GATEHOUSE_TRY(const Utf16 narrow, MapWidth(wide));
  GATEHOUSE_TRY(const Utf16 lower, ToLower(narrow));
  GATEHOUSE_TRY(const Utf16 composed, ToNfc(lower));
  const CodePoints points = Split(composed);
  if (points.empty()) return BadPeer("address: empty localpart");
  if (!IsInClass(points, StringClass::kIdentifier))
    return BadPeer("address: character not allowed in a localpart");
  if (!BidiRuleHolds(points)) return BadPeer("address: mixed writing directions");
  return ToUtf8(composed);
}

Result<std::string> PrecisOpaqueString(std::string_view text) {
  GATEHOUSE_TRY(const Utf16 wide, FromUtf8(text));
  CodePoints points = Split(wide);
  for (UChar32& point : points)
    if (u_charType(point) == U_SPACE_SEPARATOR) point = ' ';
  GATEHOUSE_TRY(const Utf16 composed, ToNfc(JoinPoints(points)));
  if (composed.empty()) return BadPeer("address: empty resourcepart");
  if (!IsInClass(Split(composed), StringClass::kFreeform))
    return BadPeer("address: character not allowed in a resourcepart");
  return ToUtf8(composed);
}

bool IsIdnaText(std::string_view utf8) {
  const auto wide = FromUtf8(utf8);
  if (!wide) return false;
  CodePoints label;
  for (const UChar32 point : Split(*wide)) {
    if (point != '.') {
      label.push_back(point);
      continue;
    }
    if (!IsInClass(label, StringClass::kIdentifier)) return false;
    label.clear();
  }
  return IsInClass(label, StringClass::kIdentifier);
}

}  // namespace gatehouse
