#include "plugins/sip_translator/error_mapping.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

struct ConditionCase {
  proto::StanzaCondition condition;
  int full;
  int bare;
};
// 7.1, typed in from the specification a second time.
constexpr std::array kConditions = {
    ConditionCase{proto::BAD_REQUEST, 400, 400},
    ConditionCase{proto::CONFLICT, 400, 400},
    ConditionCase{proto::FEATURE_NOT_IMPLEMENTED, 405, 501},
    ConditionCase{proto::FORBIDDEN, 403, 603},
    ConditionCase{proto::GONE, 410, 410},
    ConditionCase{proto::INTERNAL_SERVER_ERROR, 500, 500},
    ConditionCase{proto::ITEM_NOT_FOUND, 404, 604},
    ConditionCase{proto::JID_MALFORMED, 400, 400},
    ConditionCase{proto::NOT_ACCEPTABLE, 406, 606},
    ConditionCase{proto::NOT_ALLOWED, 403, 403},
    ConditionCase{proto::NOT_AUTHORIZED, 403, 403},
    ConditionCase{proto::POLICY_VIOLATION, 403, 403},
    ConditionCase{proto::RECIPIENT_UNAVAILABLE, 480, 600},
    ConditionCase{proto::REDIRECT, 480, 480},
    ConditionCase{proto::REGISTRATION_REQUIRED, 403, 403},
    ConditionCase{proto::REMOTE_SERVER_NOT_FOUND, 404, 404},
    ConditionCase{proto::REMOTE_SERVER_TIMEOUT, 408, 408},
    ConditionCase{proto::RESOURCE_CONSTRAINT, 500, 500},
    ConditionCase{proto::SERVICE_UNAVAILABLE, 403, 403},
    ConditionCase{proto::SUBSCRIPTION_REQUIRED, 403, 403},
    ConditionCase{proto::UNDEFINED_CONDITION, 400, 400},
    ConditionCase{proto::UNEXPECTED_REQUEST, 400, 400},
};

TEST(ErrorMapping, AnswersEveryConditionAsTheTableSays) {
  for (const ConditionCase& row : kConditions) {
    const auto name = proto::StanzaCondition_Name(row.condition);
    StanzaFault fault{.condition = row.condition, .to_full_jid = true};
    EXPECT_EQ(AnswerFor(fault, SipProfile::kPage).status, row.full) << name;
    fault.to_full_jid = false;
    EXPECT_EQ(AnswerFor(fault, SipProfile::kPage).status, row.bare) << name;
    EXPECT_EQ(AnswerFor(fault, SipProfile::kMsrp).status, row.bare) << name;
    EXPECT_EQ(AnswerFor(fault, SipProfile::kLync).status, row.full) << name;
    EXPECT_EQ(AnswerFor(fault, SipProfile::kPage).retry_after,
              row.condition == proto::RESOURCE_CONSTRAINT);
  }
}

TEST(ErrorMapping, FollowsTheNotesOfTheTable) {
  const auto page = SipProfile::kPage;
  EXPECT_EQ(AnswerFor({.condition = proto::GONE, .mapped_address = true}, page),
            (SipAnswer{.status = 301, .contact = true}));
  EXPECT_EQ(AnswerFor({.condition = proto::REDIRECT, .mapped_address = true}, page),
            (SipAnswer{.status = 302, .contact = true}));
  EXPECT_EQ(AnswerFor({.condition = proto::UNEXPECTED_REQUEST, .invite_race = true}, page).status,
            491);
  EXPECT_EQ(
      AnswerFor({.condition = proto::REMOTE_SERVER_NOT_FOUND, .resolution_failed = true}, page)
          .status,
      408);
}

TEST(ErrorMapping, AnswersAnUnknownConditionByItsType) {
  const auto status = [](ErrorType type) {
    return AnswerFor({.type = type}, SipProfile::kPage).status;
  };
  EXPECT_EQ(status(ErrorType::kAuth), 403);
  EXPECT_EQ(status(ErrorType::kCancel), 404);
  EXPECT_EQ(status(ErrorType::kModify), 400);
  EXPECT_EQ(status(ErrorType::kWait), 480);
  EXPECT_EQ(status(ErrorType::kContinue), 400);
}

TEST(ErrorMapping, NeverBlamesTheWholeServerOrChallenges) {
  for (int condition = 0; condition <= proto::StanzaCondition_MAX; ++condition)
    for (const bool full : {false, true})
      for (const auto profile : {SipProfile::kLync, SipProfile::kPage, SipProfile::kMsrp}) {
        const StanzaFault fault{.condition = static_cast<proto::StanzaCondition>(condition),
                                .to_full_jid = full};
        const int status = AnswerFor(fault, profile).status;
        EXPECT_TRUE(status != 503 && status != 401 && status != 407) << condition;
        EXPECT_TRUE(profile != SipProfile::kLync || status < 600) << condition;
      }
}

struct StatusCase {
  int status;
  proto::StanzaCondition condition;
  ErrorType type;
};
// 7.2, typed in from the specification a second time, with one number of each "other".
constexpr std::array kStatuses = {
    StatusCase{300, proto::REDIRECT, ErrorType::kModify},
    StatusCase{302, proto::REDIRECT, ErrorType::kModify},
    StatusCase{305, proto::REDIRECT, ErrorType::kModify},
    StatusCase{399, proto::REDIRECT, ErrorType::kModify},
    StatusCase{301, proto::GONE, ErrorType::kCancel},
    StatusCase{380, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{400, proto::BAD_REQUEST, ErrorType::kModify},
    StatusCase{401, proto::NOT_AUTHORIZED, ErrorType::kAuth},
    StatusCase{402, proto::BAD_REQUEST, ErrorType::kModify},
    StatusCase{403, proto::FORBIDDEN, ErrorType::kAuth},
    StatusCase{404, proto::ITEM_NOT_FOUND, ErrorType::kCancel},
    StatusCase{405, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},
    StatusCase{406, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{407, proto::REGISTRATION_REQUIRED, ErrorType::kAuth},
    StatusCase{408, proto::REMOTE_SERVER_TIMEOUT, ErrorType::kWait},
    StatusCase{410, proto::GONE, ErrorType::kCancel},
    StatusCase{413, proto::POLICY_VIOLATION, ErrorType::kModify},
    StatusCase{414, proto::POLICY_VIOLATION, ErrorType::kModify},
    StatusCase{415, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{416, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{420, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},
    StatusCase{421, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{423, proto::RESOURCE_CONSTRAINT, ErrorType::kWait},
    StatusCase{430, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{439, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},
    StatusCase{440, proto::POLICY_VIOLATION, ErrorType::kModify},
    StatusCase{480, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{481, proto::ITEM_NOT_FOUND, ErrorType::kCancel},
    StatusCase{482, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{483, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{484, proto::ITEM_NOT_FOUND, ErrorType::kCancel},
    StatusCase{485, proto::ITEM_NOT_FOUND, ErrorType::kCancel},
    StatusCase{486, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{487, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{488, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{489, proto::POLICY_VIOLATION, ErrorType::kModify},
    StatusCase{491, proto::UNEXPECTED_REQUEST, ErrorType::kWait},
    StatusCase{493, proto::BAD_REQUEST, ErrorType::kModify},
    StatusCase{499, proto::BAD_REQUEST, ErrorType::kModify},
    StatusCase{500, proto::INTERNAL_SERVER_ERROR, ErrorType::kWait},
    StatusCase{501, proto::FEATURE_NOT_IMPLEMENTED, ErrorType::kCancel},
    StatusCase{502, proto::REMOTE_SERVER_NOT_FOUND, ErrorType::kCancel},
    StatusCase{503, proto::INTERNAL_SERVER_ERROR, ErrorType::kWait},
    StatusCase{504, proto::REMOTE_SERVER_TIMEOUT, ErrorType::kWait},
    StatusCase{505, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{513, proto::POLICY_VIOLATION, ErrorType::kModify},
    StatusCase{599, proto::INTERNAL_SERVER_ERROR, ErrorType::kWait},
    StatusCase{600, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{603, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
    StatusCase{604, proto::ITEM_NOT_FOUND, ErrorType::kCancel},
    StatusCase{606, proto::NOT_ACCEPTABLE, ErrorType::kModify},
    StatusCase{699, proto::RECIPIENT_UNAVAILABLE, ErrorType::kWait},
};

TEST(ErrorMapping, TurnsEveryStatusIntoTheErrorTheTableSays) {
  std::set<int> seen;
  for (const StatusCase& row : kStatuses) {
    EXPECT_EQ(ErrorFor(row.status), (StanzaAnswer{row.condition, row.type})) << row.status;
    seen.insert(row.status);
  }
  for (int status = 300; status < 700; ++status)  // what is not listed follows its class
    if (!seen.contains(status)) {
      EXPECT_EQ(ErrorFor(status), ErrorFor(status / 100 * 100 + 99)) << status;
    }
}

TEST(ErrorMapping, TakesNoAnswerForATimeout) {
  EXPECT_EQ(ErrorForNoAnswer(), (StanzaAnswer{proto::REMOTE_SERVER_TIMEOUT, ErrorType::kWait}));
}

// There and back: a condition that has a status of its own comes home; the others land where 7.1
// merged them.
TEST(ErrorMapping, BringsConditionsBackFromSip) {
  const std::set<proto::StanzaCondition> merged = {proto::CONFLICT,
                                                   proto::JID_MALFORMED,
                                                   proto::UNDEFINED_CONDITION,
                                                   proto::UNEXPECTED_REQUEST,
                                                   proto::NOT_ALLOWED,
                                                   proto::NOT_AUTHORIZED,
                                                   proto::POLICY_VIOLATION,
                                                   proto::REGISTRATION_REQUIRED,
                                                   proto::SERVICE_UNAVAILABLE,
                                                   proto::SUBSCRIPTION_REQUIRED,
                                                   proto::REDIRECT,
                                                   proto::REMOTE_SERVER_NOT_FOUND,
                                                   proto::RESOURCE_CONSTRAINT};
  for (const ConditionCase& row : kConditions)
    for (const bool full : {true, false}) {
      const int status =
          AnswerFor({.condition = row.condition, .to_full_jid = full}, SipProfile::kPage).status;
      const auto back = ErrorFor(status).condition;
      if (row.condition == proto::FORBIDDEN && !full) {
        EXPECT_EQ(back, proto::RECIPIENT_UNAVAILABLE);  // 603 does not say why
      } else if (merged.contains(row.condition)) {
        EXPECT_NE(back, row.condition);
      } else {
        EXPECT_EQ(back, row.condition) << proto::StanzaCondition_Name(row.condition);
      }
    }
  EXPECT_EQ(
      ErrorFor(AnswerFor({.condition = proto::REDIRECT, .mapped_address = true}, SipProfile::kPage)
                   .status)
          .condition,
      proto::REDIRECT);
  EXPECT_EQ(
      ErrorFor(
          AnswerFor({.condition = proto::GONE, .mapped_address = true}, SipProfile::kPage).status)
          .condition,
      proto::GONE);
}

TEST(ErrorMapping, ReadsTypesAndProfilesFromTheirWords) {
  for (const auto type : {ErrorType::kAuth, ErrorType::kCancel, ErrorType::kContinue,
                          ErrorType::kModify, ErrorType::kWait})
    EXPECT_EQ(ErrorTypeFromName(ErrorTypeName(type)), type);
  EXPECT_EQ(ErrorTypeFromName("nonsense"), ErrorType::kCancel);
  EXPECT_EQ(ProfileFromName("lync"), SipProfile::kLync);
  EXPECT_EQ(ProfileFromName("msrp"), SipProfile::kMsrp);
  EXPECT_EQ(ProfileFromName(""), SipProfile::kPage);
}

}  // namespace
}  // namespace gatehouse::translator
