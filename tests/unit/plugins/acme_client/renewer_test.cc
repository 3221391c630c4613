#include "plugins/acme_client/renewer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>

#include "core/certificate/private_key.h"
#include "core/loop/dns_lookup.h"
#include "core/loop/owned_fd.h"
#include "tests/fakes/fake_worker_context.h"
#include "tests/unit/core/loop/dns_responder.h"

namespace gatehouse::acme {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A CA that takes connections and says nothing.
class MuteCa {
 public:
  MuteCa() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(in);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&in), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&in), &size);
    directory = "https://ca.example:" + std::to_string(ntohs(in.sin_port)) + "/directory";
  }
  std::string directory;

 private:
  OwnedFd socket_;
};

TEST(Renewer, WhoAsksForALongOrderIsToldThatItGoesOn) {
  const auto loop = *Loop::Create();
  FakeWorkerContext context(*loop);
  DnsResponder names(*loop);
  names.Add("ca.example", DnsResponder::kA, std::string("\x7f\x00\x00\x01", 4));
  const std::vector<std::string> servers{names.server()};
  const auto dns = *DnsLookup::Create(*loop, servers);
  ChallengeBoard board;
  const auto key = *Es256Key::Parse(*MakePrivateKey(KeyType::kP256));
  const std::string memory =
      (std::filesystem::path(testing::TempDir()) / "gatehouse_renewer_memory").string();
  const MuteCa ca;
  Renewer renewer({.context = context,
                   .dns = *dns,
                   .board = board,
                   .key = key,
                   .memory_file = memory,
                   .memory = {},
                   .patience = milliseconds{200}});
  AcmeSettings settings;
  settings.directory = ca.directory;
  settings.certificate = "edge";
  settings.names = {"corp.example"};
  settings.challenge = "http-01";
  renewer.Configure(
      settings,
      *TlsContext::Create({.chain_file = {}, .key_file = {}, .trust = "system", .crl_file = {}}));

  std::vector<proto::CtlResponse> answers;
  const auto answer = [&](proto::CtlResponse response) {
    answers.push_back(std::move(response));
    if (answers.size() == 2) loop->Stop();
  };
  renewer.RenewNow("ann", answer);
  renewer.RenewNow("bob", answer);  // shares the attempt
  loop->Run();
  for (const proto::CtlResponse& each : answers) {
    EXPECT_EQ(each.exit_code(), 1U);
    EXPECT_THAT(each.error(), AllOf(HasSubstr("'edge' is not renewed yet, and the attempt goes on"),
                                    HasSubstr("gatehousectl cert renewal")));
  }
  EXPECT_EQ(renewer.View().state(), "renewing");
  EXPECT_EQ(renewer.View().failures(), 1U);  // unless it ends well
  renewer.Stop();
  std::filesystem::remove(memory);
}

}  // namespace
}  // namespace gatehouse::acme
