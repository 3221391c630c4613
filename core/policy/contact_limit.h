// How many authorised contacts there may be (12.5).
#pragma once

#include <cstdint>

namespace gatehouse {

// What a partner may have, in all its domains together. A contact that has ended counts until it is
// swept; a blocked one counts, but is never refused: a block takes no right to anything.
inline constexpr std::int64_t kMaxContactsOfAPartner = 100'000;

}  // namespace gatehouse
