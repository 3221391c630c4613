// One order at a CA, from its directory to the issued chain (RFC 8555 §7): takes what came, says
// what is next. Pure: no socket, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/http/http_message.h"
#include "plugins/acme_client/jws.h"
#include "proto/acme.pb.h"

namespace gatehouse::acme {

// Send this; OnResponse with what comes.
struct SendStep {
  std::string method;
  std::string url;
  std::string body;  // JWS; empty: none
};
// Make it so that the CA finds this; OnProvided. It stays until the order has ended, well or ill.
struct ProvideStep {
  std::string domain;   // without "*."
  std::string token;    // http-01: below /.well-known/acme-challenge/
  std::string content;  // http-01: the key authorization; dns-01: the TXT record's value
};
struct WaitStep {
  std::chrono::seconds delay{};  // then OnWaited
};
struct IssuedStep {
  std::string chain;  // PEM
};
// The end. `why` is a sentence without an end.
struct RefusedStep {
  std::string why;
  std::chrono::seconds retry_after{0};  // as the CA wants it
};
using Step = std::variant<SendStep, ProvideStep, WaitStep, IssuedStep, RefusedStep>;

class AcmeOrder {
 public:
  struct Setup {
    std::string directory;
    std::string contact;             // "mailto:..."; empty: none
    std::vector<std::string> names;  // A-labels
    std::string challenge;           // "http-01", "dns-01"
    std::string request_der;         // PKCS #10
    std::optional<ExternalAccount> external;
  };
  // How often in a row a nonce may be refused (§6.5), and how often a state is asked for.
  static constexpr unsigned kMaxBadNonces = 5;
  static constexpr unsigned kMaxPolls = 60;

  // `key` is the account's and outlives this object.
  AcmeOrder(const Es256Key& key, Setup setup) : key_(key), setup_(std::move(setup)) {}

  Step Begin();
  // `now_unix`: for a Retry-After that is a date.
  Step OnResponse(const HttpMessage& response, std::int64_t now_unix);
  Step OnProvided();
  Step OnWaited();
  [[nodiscard]] const std::string& account_url() const { return account_url_; }

 private:
  enum class Stage : std::uint8_t {
    kDirectory,
    kAccount,
    kNewOrder,
    kAuthorization,  // asked for, the first time or again
    kChallenge,      // the CA was told to look
    kOrder,          // asked for again
    kFinalize,
    kCertificate
  };
  Step Post(Stage stage, std::string url, std::string payload);
  Step SignAndSend();
  Step OnProblem(const HttpMessage& response, std::int64_t now_unix);
  Step OnDirectory(const HttpMessage& response);
  Step OnAccount(const HttpMessage& response);
  Step OnNewOrder(const HttpMessage& response);
  Step OnAuthorization(const HttpMessage& response);
  Step OnOrder(const HttpMessage& response);
  Step OnCertificate(const HttpMessage& response);
  Step NextAuthorization();
  Step FollowOrder();
  Step Poll(Stage stage, const std::string& url);
  Step Validated(const proto::AcmeAuthorization& authorization);

  const Es256Key& key_;
  Setup setup_;
  Stage stage_ = Stage::kDirectory;
  bool awaits_nonce_ = false;
  std::string nonce_;
  std::string url_, payload_;  // of the request under way
  unsigned bad_nonces_ = 0;
  unsigned polls_ = 0;
  std::chrono::seconds wait_{0};  // the CA's wish, of the last response
  proto::AcmeDirectory directory_;
  std::string account_url_;
  std::string order_url_;
  proto::AcmeOrderBody order_;
  int authorization_ = 0;  // the one under way
  bool provided_ = false;  // for it
  bool finalized_ = false;
  std::string challenge_url_;
};

}  // namespace gatehouse::acme
