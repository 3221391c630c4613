// What is known of this installation: from its configuration, or from the running supervisor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ctl/carry_out.h"
#include "core/dnscheck/finding.h"

namespace gatehouse::ctl {

inline constexpr const char* kDefaultConfig = "/etc/gatehouse/gatehouse.yaml";

struct SetupFacts {
  proto::Config config;  // of a supervisor its domains and listeners only
  std::string source;    // for the operator: "'gatehouse.yaml'", "the running supervisor"
};

// --config as it says; else what the supervisor tells, and the default file for the rest where it
// is about the same domains; without a supervisor that file.
//   fails  kConfig: no such file or a mistake in it, and nothing else to go by
[[nodiscard]] Result<SetupFacts> FindSetup(const Invocation& invocation, const Outside& outside);

// Our domains in A-label form.
//   fails  kConfig: one cannot be a domain
[[nodiscard]] Result<std::vector<std::string>> OurDomains(const proto::Config& config);
// A domain as an operator writes it, in A-label form. Fails (kConfig) where it is none.
[[nodiscard]] Result<std::string> AsciiDomain(std::string_view domain);
// A host as an option gives it, in A-label form and without a dot at its end.
//   fails  kConfig: "--host 'a b' is no name that DNS can have; ..."
[[nodiscard]] Result<std::string> GivenHost(std::string_view option, const std::string& name);
// The name SRV records shall give: --host, the name SIP peers know us by, or "edge." and the first
// domain.
//   fails  as GivenHost, of --host
[[nodiscard]] Result<std::string> EdgeHost(const Invocation& invocation,
                                           const proto::Config& config);
// What the running supervisor shows to XMPP partners from its store, with its chain in PEM; none
// where nobody answers, or that slot has nothing in the store. With --config nobody is asked.
[[nodiscard]] std::optional<proto::CertificateView> AssignedCertificate(
    const Invocation& invocation, const Outside& outside);
// What the checks know of us. A chain that cannot be read is left out.
//   fails  kConfig: --address or a listening address is none, partners cannot reach --address, or
//          as EdgeHost
[[nodiscard]] Result<dnscheck::OurSide> OurSideOf(const Invocation& invocation,
                                                  const proto::Config& config);

}  // namespace gatehouse::ctl
