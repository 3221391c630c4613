// What an ACME server says, read and told. Pure; any octets may come.
#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/acme.pb.h"

namespace gatehouse::acme {

inline constexpr std::size_t kMaxJsonBytes = 262144;

// What a CA says, cut at 600 octets and on one line that a terminal can show.
[[nodiscard]] std::string Told(std::string_view text);

// Unknown members are ignored. False: no JSON of that shape, too large or nested too deep.
[[nodiscard]] bool ReadJson(std::string_view text, google::protobuf::Message& into);

// "rateLimited" of "urn:ietf:params:acme:error:rateLimited"; others as they are.
[[nodiscard]] std::string_view ProblemKind(const proto::AcmeProblem& problem);
// One sentence without control characters, of at most some 600 octets: "too many orders
// (rateLimited); corp.example: ...".
[[nodiscard]] std::string ProblemText(const proto::AcmeProblem& problem);
// Of a response that is no success: its problem document, or its status where that is none.
[[nodiscard]] std::string RefusalText(unsigned status, std::string_view body);

// Of Retry-After (RFC 9110 §10.2.3), from `now_unix` on; 0: none, or it cannot be read. At most a
// week.
[[nodiscard]] std::chrono::seconds RetryAfter(std::string_view header, std::int64_t now_unix);

}  // namespace gatehouse::acme
