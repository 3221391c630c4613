#include "plugins/sip_translator/error_mapping.h"

#include <algorithm>
#include <array>

namespace gatehouse::translator {
namespace {

struct ConditionRow {
  proto::StanzaCondition condition;
  int full;  // the failed stanza went to a full JID, or the profile is lync
  int bare;
};

// 7.1; RFC 7247 §7.1 table 2. "DEC": decided against the RFC, for the reason given.
// clang-format off
constexpr std::array kConditionRows = {
    ConditionRow{proto::BAD_REQUEST,             400, 400},  // 7247: 400
    ConditionRow{proto::CONFLICT,                400, 400},  // 7247: 400
    ConditionRow{proto::FEATURE_NOT_IMPLEMENTED, 405, 501},  // 7247: 405 or 501, note 1
    ConditionRow{proto::FORBIDDEN,               403, 603},  // 7247: 403 or 603, note 2
    ConditionRow{proto::GONE,                    410, 410},  // 7247: 301 or 410, note 3; 301 with an address: below
    ConditionRow{proto::INTERNAL_SERVER_ERROR,   500, 500},  // 7247: 500
    ConditionRow{proto::ITEM_NOT_FOUND,          404, 604},  // 7247: 404 or 604, note 2
    ConditionRow{proto::JID_MALFORMED,           400, 400},  // 7247: 400
    ConditionRow{proto::NOT_ACCEPTABLE,          406, 606},  // 7247: 406 or 606, note 2
    ConditionRow{proto::NOT_ALLOWED,             403, 403},  // 7247: 403
    ConditionRow{proto::NOT_AUTHORIZED,          403, 403},  // DEC: a 401 needs a challenge, RFC 3261 §22.2
    ConditionRow{proto::POLICY_VIOLATION,        403, 403},  // 7247: 403
    ConditionRow{proto::RECIPIENT_UNAVAILABLE,   480, 600},  // 7247: 480 or 600, note 2
    ConditionRow{proto::REDIRECT,                480, 480},  // DEC; 302 with an address: below. 7247: 302
    ConditionRow{proto::REGISTRATION_REQUIRED,   403, 403},  // DEC: a 407 needs a challenge, RFC 3261 §22.3
    ConditionRow{proto::REMOTE_SERVER_NOT_FOUND, 404, 404},  // 7247: 404 or 408, note 4; 408: below
    ConditionRow{proto::REMOTE_SERVER_TIMEOUT,   408, 408},  // 7247: 408
    ConditionRow{proto::RESOURCE_CONSTRAINT,     500, 500},  // 7247: 500; with Retry-After
    ConditionRow{proto::SERVICE_UNAVAILABLE,     403, 403},  // 7247 note 5: never 503
    ConditionRow{proto::SUBSCRIPTION_REQUIRED,   403, 403},  // DEC: 7247's 400 would blame our own syntax
    ConditionRow{proto::UNDEFINED_CONDITION,     400, 400},  // 7247: 400
    ConditionRow{proto::UNEXPECTED_REQUEST,      400, 400},  // 7247: 491 or 400; 491: below
};

struct TypeRow {
  ErrorType type;
  std::string_view name;
  int status;  // of an unknown condition of this type; 7.1 last row, DEC
};
constexpr std::array kTypeRows = {
    TypeRow{ErrorType::kAuth,     "auth",     403},
    TypeRow{ErrorType::kCancel,   "cancel",   404},
    TypeRow{ErrorType::kContinue, "continue", 400},
    TypeRow{ErrorType::kModify,   "modify",   400},
    TypeRow{ErrorType::kWait,     "wait",     480},
};

struct StatusRow {
  int status;
  proto::StanzaCondition condition;
  ErrorType type;
};
// 7.2; conditions: RFC 7247 §7.2 table 3, types: RFC 6120 §8.3.3 where 7247 is silent.
constexpr std::array kStatusRows = {
    StatusRow{300, proto::REDIRECT,                ErrorType::kModify},  // 7247: redirect
    StatusRow{301, proto::GONE,                    ErrorType::kCancel},  // 7247: gone, note 1: address of Contact
    StatusRow{302, proto::REDIRECT,                ErrorType::kModify},  // 7247: redirect
    StatusRow{305, proto::REDIRECT,                ErrorType::kModify},  // 7247: redirect
    StatusRow{380, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{400, proto::BAD_REQUEST,             ErrorType::kModify},  // 7247: bad-request
    StatusRow{401, proto::NOT_AUTHORIZED,          ErrorType::kAuth},    // 7247: not-authorized
    StatusRow{402, proto::BAD_REQUEST,             ErrorType::kModify},  // 7247: bad-request
    StatusRow{403, proto::FORBIDDEN,               ErrorType::kAuth},    // 7247: forbidden
    StatusRow{404, proto::ITEM_NOT_FOUND,          ErrorType::kCancel},  // 7247: item-not-found
    StatusRow{405, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},  // 7247: feature-not-implemented
    StatusRow{406, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{407, proto::REGISTRATION_REQUIRED,   ErrorType::kAuth},    // 7247: registration-required
    StatusRow{408, proto::REMOTE_SERVER_TIMEOUT,   ErrorType::kWait},    // 7247: remote-server-timeout
    StatusRow{410, proto::GONE,                    ErrorType::kCancel},  // 7247: gone, empty
    StatusRow{413, proto::POLICY_VIOLATION,        ErrorType::kModify},  // 7247: policy-violation
    StatusRow{414, proto::POLICY_VIOLATION,        ErrorType::kModify},  // 7247: policy-violation
    StatusRow{415, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{416, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{420, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},  // 7247: feature-not-implemented
    StatusRow{421, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{423, proto::RESOURCE_CONSTRAINT,     ErrorType::kWait},    // 7247: resource-constraint
    StatusRow{430, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{439, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},  // 7247: feature-not-implemented
    StatusRow{440, proto::POLICY_VIOLATION,        ErrorType::kModify},  // 7247: policy-violation
    StatusRow{480, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{481, proto::ITEM_NOT_FOUND,          ErrorType::kCancel},  // 7247: item-not-found
    StatusRow{482, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{483, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{484, proto::ITEM_NOT_FOUND,          ErrorType::kCancel},  // 7247: item-not-found
    StatusRow{485, proto::ITEM_NOT_FOUND,          ErrorType::kCancel},  // 7247: item-not-found
    StatusRow{486, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{487, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{488, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{489, proto::POLICY_VIOLATION,        ErrorType::kModify},  // 7247: policy-violation
    StatusRow{491, proto::UNEXPECTED_REQUEST,      ErrorType::kWait},    // 7247: unexpected-request
    StatusRow{493, proto::BAD_REQUEST,             ErrorType::kModify},  // 7247: bad-request
    StatusRow{500, proto::INTERNAL_SERVER_ERROR,   ErrorType::kWait},    // 7247: internal-server-error
    StatusRow{501, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},  // 7247: feature-not-implemented
    StatusRow{502, proto::REMOTE_SERVER_NOT_FOUND, ErrorType::kCancel},  // 7247: remote-server-not-found
    StatusRow{503, proto::INTERNAL_SERVER_ERROR,   ErrorType::kWait},    // 7247: internal-server-error
    StatusRow{504, proto::REMOTE_SERVER_TIMEOUT,   ErrorType::kWait},    // 7247: remote-server-timeout
    StatusRow{505, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
    StatusRow{513, proto::POLICY_VIOLATION,        ErrorType::kModify},  // 7247: policy-violation
    StatusRow{600, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{603, proto::RECIPIENT_UNAVAILABLE,   ErrorType::kWait},    // 7247: recipient-unavailable
    StatusRow{604, proto::ITEM_NOT_FOUND,          ErrorType::kCancel},  // 7247: item-not-found
    StatusRow{606, proto::NOT_ACCEPTABLE,          ErrorType::kModify},  // 7247: not-acceptable
};
// "other 3xx" to "other 6xx" of 7.2, by the first digit.
constexpr std::array kClassRows = {
    StatusRow{3, proto::REDIRECT,              ErrorType::kModify},  // 7247: redirect
    StatusRow{4, proto::BAD_REQUEST,           ErrorType::kModify},  // 7247: bad-request
    StatusRow{5, proto::INTERNAL_SERVER_ERROR, ErrorType::kWait},    // 7247: internal-server-error
    StatusRow{6, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},    // 7247: recipient-unavailable
};
// clang-format on

static_assert(kConditionRows.size() == proto::UNEXPECTED_REQUEST, "one row for each condition");
static_assert(std::ranges::is_sorted(kConditionRows, {}, &ConditionRow::condition));
static_assert(std::ranges::is_sorted(kStatusRows, {}, &StatusRow::status));
static_assert(std::ranges::adjacent_find(kStatusRows, {}, &StatusRow::status) == kStatusRows.end());

int StatusOfType(ErrorType type) {
  return std::ranges::find(kTypeRows, type, &TypeRow::type)->status;
}

}  // namespace

SipProfile ProfileFromName(std::string_view name) {
  if (name == "lync") return SipProfile::kLync;
  return name == "msrp" ? SipProfile::kMsrp : SipProfile::kPage;
}

std::string_view ErrorTypeName(ErrorType type) {
  return std::ranges::find(kTypeRows, type, &TypeRow::type)->name;
}

ErrorType ErrorTypeFromName(std::string_view name) {
  const auto* row = std::ranges::find(kTypeRows, name, &TypeRow::name);
  return row == kTypeRows.end() ? ErrorType::kCancel : row->type;
}

SipAnswer AnswerFor(const StanzaFault& fault, SipProfile profile) {
  if (fault.condition == proto::GONE && fault.mapped_address)
    return {.status = 301, .contact = true};
  if (fault.condition == proto::REDIRECT && fault.mapped_address)
    return {.status = 302, .contact = true};
  if (fault.condition == proto::UNEXPECTED_REQUEST && fault.invite_race) return {.status = 491};
  if (fault.condition == proto::REMOTE_SERVER_NOT_FOUND && fault.resolution_failed)
    return {.status = 408};
  const auto* row = std::ranges::find(kConditionRows, fault.condition, &ConditionRow::condition);
  if (row == kConditionRows.end()) return {.status = StatusOfType(fault.type)};
  const bool full = fault.to_full_jid || profile == SipProfile::kLync;
  return {.status = full ? row->full : row->bare,
          .retry_after = fault.condition == proto::RESOURCE_CONSTRAINT};
}

StanzaAnswer ErrorFor(int status) {
  const auto* row = std::ranges::find(kStatusRows, status, &StatusRow::status);
  if (row != kStatusRows.end()) return {row->condition, row->type};
  const auto* of_class = std::ranges::find(kClassRows, status / 100, &StatusRow::status);
  if (of_class != kClassRows.end()) return {of_class->condition, of_class->type};
  return ErrorFor(500);
}

StanzaAnswer ErrorForNoAnswer() {
  return {proto::REMOTE_SERVER_TIMEOUT, ErrorType::kWait};
}

}  // namespace gatehouse::translator
