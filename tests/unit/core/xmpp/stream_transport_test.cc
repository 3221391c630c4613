#include "core/xmpp/stream_transport.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"
#include "tests/fakes/certificate_maker.h"

namespace gatehouse {
namespace {

constexpr std::string_view kHeader =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>";

CertificatePlan PlanFor(const std::string& domain) {
  CertificatePlan plan;
  plan.dns_names = {domain};
  return plan;
}

// One end with everything that happened to it.
struct End {
  std::unique_ptr<StreamTransport> transport;
  std::string
      seen;  // "header", "<xml>", "footer", "bad …", "tls", "closed" with a space behind each
  std::function<void(const proto::Element&)> on_element;

  StreamTransport::Events Events() {
    return {.on_header = [this](const StreamHeader&) { seen += "header "; },
            .on_element =
                [this](proto::Element& element, std::size_t) {
                  AppendXml(seen, element);
                  seen += ' ';
                  if (on_element) on_element(element);
                },
            .on_oversized = {},
            .on_footer = [this] { seen += "footer "; },
            .on_bad_xml =
                [this](StreamCondition condition) {
                  seen += "bad " + std::string(StreamConditionName(condition)) + " ";
                },
            .on_tls =
                [this](const Result<void>& result) {
                  seen += result ? "tls " : "tls failed: " + result.error().text + " ";
                },
            .on_closed =
                [this](std::string_view) {
                  seen += "closed ";
                  transport.reset();
                },
            .on_writable = {},
            .on_whitespace = {}};
  }
};

class StreamTransportTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = *Loop::Create();
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(fd, 4), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    acceptor_ = *TcpAcceptor::Create(*loop_, fd, [this](std::unique_ptr<TcpStream> tcp) {
      server_.transport = StreamTransport::Create(*loop_, std::move(tcp), server_.Events());
    });
    connecting_ = TcpStream::Connect(
        *loop_, SocketAddress::From(reinterpret_cast<sockaddr*>(&address)), seconds{5},
        [this](Result<std::unique_ptr<TcpStream>> tcp) {
          ASSERT_TRUE(tcp);
          client_.transport = StreamTransport::Create(*loop_, *std::move(tcp), client_.Events());
        });
    Until([this] { return client_.transport && server_.transport; });
  }
  void TearDown() override {
    client_.transport.reset();
    server_.transport.reset();
    acceptor_.reset();
    connecting_.reset();
  }
  // Turns the loop until `done`, for 5 s at most.
  void Until(const std::function<bool()>& done) {
    const TimePoint end = loop_->Now() + seconds{5};
    while (!done() && loop_->Now() < end) loop_->RunOnce();
    EXPECT_TRUE(done()) << "server: " << server_.seen << "; client: " << client_.seen;
  }
  // Both ends inside TLS.
  void UpToTls() {
    const auto context = *TlsContext::Create(maker_.Issue(PlanFor("corp.example")));
    server_.on_element = [this, context](const proto::Element& element) {
      if (element.name() != "starttls") return;
      server_.transport->Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      server_.transport->StartTls(context, TlsSession::Role::kServer, "corp.example");
    };
    client_.on_element = [this, context](const proto::Element& element) {
      if (element.name() == "proceed")
        client_.transport->StartTls(context, TlsSession::Role::kClient, "corp.example");
    };
    server_.transport->Send(kHeader);
    client_.transport->Send(kHeader);
    client_.transport->Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    Until([this] { return client_.seen.ends_with("tls ") && server_.seen.ends_with("tls "); });
  }

  CertificateMaker maker_;
  std::unique_ptr<Loop> loop_;
  End client_, server_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::unique_ptr<TcpStream::Connecting> connecting_;
};

TEST_F(StreamTransportTest, CarriesElementsInClear) {
  client_.transport->Send(kHeader);
  client_.transport->Send("<message id='1'/>");
  client_.transport->Send("<message id='2'/></stream:stream>");
  Until([this] { return server_.seen.ends_with("footer "); });
  EXPECT_EQ(server_.seen, "header <message id='1'/> <message id='2'/> footer ");
}

TEST_F(StreamTransportTest, CarriesElementsInsideTlsBehindAFreshHeader) {
  UpToTls();
  server_.seen.clear();
  client_.transport->Send(kHeader);
  client_.transport->Send("<message id='1'/>");
  Until([this] { return server_.seen.ends_with("/> "); });
  EXPECT_EQ(server_.seen, "header <message id='1'/> ");
  ASSERT_NE(server_.transport->tls(), nullptr);
  EXPECT_TRUE(server_.transport->tls()->peer().presented);
}

TEST_F(StreamTransportTest, AnswersPlaintextBehindStartTlsWithNothing) {
  const auto context = *TlsContext::Create(maker_.Issue(PlanFor("corp.example")));
  server_.on_element = [this, context](const proto::Element&) {
    server_.transport->Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    server_.transport->StartTls(context, TlsSession::Role::kServer, "corp.example");
  };
  client_.transport->Send(kHeader);
  client_.transport->Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><auth/>");
  Until([this] { return server_.seen.find("tls failed") != std::string::npos; });
  server_.transport->Abort();
  Until([this] { return client_.seen.ends_with("closed "); });
  EXPECT_EQ(client_.seen, "closed ");
}

TEST_F(StreamTransportTest, TellsBothEndsOfAClose) {
  UpToTls();
  client_.transport->Send(kHeader);
  client_.transport->Send(kStreamFooter);
  client_.transport->Close();
  Until([this] { return server_.seen.find("footer") != std::string::npos; });
  server_.transport->Close();
  Until([this] { return client_.seen.ends_with("closed ") && server_.seen.ends_with("closed "); });
}

TEST_F(StreamTransportTest, TakesTheEndOfTlsForTheEndOfTheStream) {
  UpToTls();
  client_.seen.clear();
  bool flushed = false;
  server_.transport->Close();
  Until([this] { return client_.seen.starts_with("footer "); });
  client_.transport->Close();
  client_.transport->Send("<message/>");
  client_.transport->WhenFlushed([&flushed] { flushed = true; });
  Until([this] { return client_.seen.ends_with("closed "); });
  EXPECT_FALSE(flushed) << "nobody will ever read it";
}

TEST_F(StreamTransportTest, TellsWhenTheKernelHasAll) {
  UpToTls();
  bool flushed = false;
  client_.transport->Send(kHeader);
  client_.transport->WhenFlushed([&flushed] { flushed = true; });
  EXPECT_FALSE(flushed);
  Until([&flushed] { return flushed; });
  EXPECT_TRUE(client_.transport->flushed());
}

TEST_F(StreamTransportTest, StopsAtXmlTheReaderRefuses) {
  client_.transport->Send(kHeader);
  client_.transport->Send("<!-- x --><message/>");
  Until([this] { return server_.seen.ends_with("restricted-xml "); });
  client_.transport->Send("<message/>");
  server_.transport->Send("</stream:stream>");
  server_.transport->Close();
  Until([this] { return client_.seen.ends_with("closed "); });
  EXPECT_EQ(server_.seen.find("<message"), std::string::npos);
}

TEST_F(StreamTransportTest, LeavesBytesToTcpWhilePaused) {
  server_.transport->PauseReading();
  client_.transport->Send(kHeader);
  for (int i = 0; i < 20; ++i) loop_->RunOnce();
  EXPECT_EQ(server_.seen, "");
  server_.transport->ResumeReading();
  Until([this] { return server_.seen == "header "; });
}

TEST_F(StreamTransportTest, DeliversNothingMoreOnceAborted) {
  server_.on_element = [this](const proto::Element&) { server_.transport->Abort(); };
  client_.transport->Send(kHeader);
  client_.transport->Send("<message/><message/>");
  Until([this] { return client_.seen.ends_with("closed "); });
  EXPECT_EQ(server_.seen, "header <message/> closed ");
}

}  // namespace
}  // namespace gatehouse
