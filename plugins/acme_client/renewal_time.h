// When a certificate is to be renewed. Pure; times are Unix times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/acme_client/acme_settings.h"
#include "proto/acme.pb.h"
#include "proto/certificates.pb.h"

namespace gatehouse::acme {

inline constexpr std::int64_t kDay = 86'400;  // seconds
// After a success no attempt is due for so long, however short the life of what was issued: a CA
// that gives certificates without life is not to be asked without end.
inline constexpr std::int64_t kRestAfterSuccess = 3600;

// When a third of its life is left, or up to a tenth of that third later; the same for each
// certificate whenever it is asked for.
[[nodiscard]] std::int64_t RenewalTime(std::int64_t not_before, std::int64_t not_after,
                                       std::string_view sha256);

// From when on an attempt is due, by what is held and what is wanted; the back-off not counted.
// `held` null, or not issued: there is none. It is due at once (0) as well where names or key are
// others than those that are wanted: of one that we had issued, than those wanted then; and where
// another CA is to issue it than the one that has, or may have.
[[nodiscard]] std::int64_t DueAt(const proto::CertificateView* held, const AcmeSettings& wanted,
                                 const proto::AcmeMemory& memory);

// `time`, but no later than a week from now: what a wrong clock had remembered is forgotten.
[[nodiscard]] std::int64_t WithinAWeek(std::int64_t time, std::int64_t now);

// Whether what fails is worth an error: the end of what is held is near, or after a day of failures
// there is none at all. `held` null: there is none.
[[nodiscard]] bool IsUrgent(const proto::CertificateView* held, const proto::AcmeMemory& memory,
                            std::int64_t now);

// Of what was issued just now: it would have to be renewed before the rest after a success is over.
[[nodiscard]] bool IsTooShort(const proto::CertificateView& held, std::int64_t now);

}  // namespace gatehouse::acme
