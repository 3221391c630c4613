// PEM text as a store that chains are verified against.
#pragma once

#include <openssl/x509.h>

#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

// Its certificates are trusted as they are, roots or not. Fails as CountAnchors does.
Result<bssl::UniquePtr<X509_STORE>> AnchorStore(std::string_view pem);

}  // namespace gatehouse
