#include "plugins/tls_listener/listener_tls.h"

#include <string_view>
#include <utility>

#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

constexpr std::string_view kDirectTlsProtocol = "xmpp-server";  // XEP-0368

}  // namespace

Result<ListenerTls> ListenerTls::Read(const proto::Config& config,
                                      const std::vector<std::string>& domains) {
  const proto::Tls& tls = config.tls();
  const TlsFiles files{.chain_file = tls.chain_file(),
                       .key_file = tls.key_file(),
                       .trust = tls.trust(),
                       .crl_file = tls.crl_file()};
  ListenerTls all;
  GATEHOUSE_TRY(all.starttls, TlsContext::Create(files, {.resume_sessions = true}));
  TlsContext::Options direct;
  direct.resume_sessions = true;
  direct.alpn = kDirectTlsProtocol;
  GATEHOUSE_TRY(all.direct_client, TlsContext::Create(files, direct));
  for (const std::string& domain : domains) {
    GATEHOUSE_TRY(std::string ascii, DomainToAscii(domain));
    direct.required_server_names.push_back(std::move(ascii));
  }
  GATEHOUSE_TRY(all.direct_server, TlsContext::Create(files, direct));
  return all;
}

Result<ListenerTls> ListenerTls::Showing(const OwnCertificate& certificate) const {
  ListenerTls all;
  GATEHOUSE_TRY(all.starttls, TlsContext::Like(*starttls, certificate));
  GATEHOUSE_TRY(all.direct_server, TlsContext::Like(*direct_server, certificate));
  GATEHOUSE_TRY(all.direct_client, TlsContext::Like(*direct_client, certificate));
  return all;
}

}  // namespace gatehouse
