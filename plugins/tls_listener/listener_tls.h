// The three contexts of a listener: one certificate, one set of trust anchors, three sets of rules.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/tls/own_certificate.h"
#include "core/tls/tls_context.h"
#include "proto/config.pb.h"

namespace gatehouse {

struct ListenerTls {
  // As gatehouse.yaml has it; without a certificate where it names no files. `domains`: those that
  // a client of direct TLS may name.
  //   fails  kConfig, naming the file
  static Result<ListenerTls> Read(const proto::Config& config,
                                  const std::vector<std::string>& domains);
  // The same with another certificate. Opens no file.
  [[nodiscard]] Result<ListenerTls> Showing(const OwnCertificate& certificate) const;

  std::shared_ptr<const TlsContext> starttls;  // both directions
  std::shared_ptr<const TlsContext> direct_server;
  std::shared_ptr<const TlsContext> direct_client;
};

}  // namespace gatehouse
