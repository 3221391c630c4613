#include "plugins/acme_client/acme_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/tls/crypto.h"
#include "plugins/acme_client/acme_words.h"

namespace gatehouse::acme {
namespace {

constexpr std::chrono::seconds kLongestPoll{60};
constexpr int kMaxAuthorizations = 100;

std::string_view StageWords(int stage) {
  constexpr std::array<std::string_view, 8> kWords = {
      "its directory", "the account", "the order",   "an authorization",
      "a challenge",   "the order",   "the request", "the certificate"};
  return kWords.at(static_cast<std::size_t>(stage));
}

RefusedStep Unreadable(std::string_view what) {
  return {fmt::format("what the CA said of {} cannot be read", what)};
}

std::string_view WithoutStar(std::string_view name) {
  return name.starts_with("*.") ? name.substr(2) : name;
}

}  // namespace

Step AcmeOrder::Begin() {
  return SendStep{"GET", setup_.directory, {}};
}

Step AcmeOrder::Post(Stage stage, std::string url, std::string payload) {
  stage_ = stage;
  url_ = std::move(url);
  payload_ = std::move(payload);
  bad_nonces_ = 0;
  return SignAndSend();
}

// A nonce is good once.
Step AcmeOrder::SignAndSend() {
  if (nonce_.empty()) {
    awaits_nonce_ = true;
    return SendStep{"HEAD", directory_.new_nonce(), {}};
  }
  const std::string nonce = std::exchange(nonce_, {});
  const bool by_key = stage_ == Stage::kAccount;
  return SendStep{
      "POST", url_,
      SignedRequest(
          key_,
          {.account_url = by_key ? std::string_view() : account_url_, .nonce = nonce, .url = url_},
          payload_)};
}

Step AcmeOrder::OnResponse(const HttpMessage& response, std::int64_t now_unix) {
  if (const std::string_view nonce = response.Header("replay-nonce"); IsToken(nonce))
    nonce_ = nonce;
  if (std::exchange(awaits_nonce_, false)) {
    if (!nonce_.empty()) return SignAndSend();
    return RefusedStep{fmt::format("the CA gives no nonce (HTTP status {})", response.status),
                       RetryAfter(response.Header("retry-after"), now_unix)};
  }
  if (response.status >= 300 || response.status < 200) return OnProblem(response, now_unix);
  wait_ = RetryAfter(response.Header("retry-after"), now_unix);
  switch (stage_) {
    case Stage::kDirectory:
      return OnDirectory(response);
    case Stage::kAccount:
      return OnAccount(response);
    case Stage::kNewOrder:
      return OnNewOrder(response);
    case Stage::kAuthorization:
      return OnAuthorization(response);
    case Stage::kChallenge:
      return Poll(Stage::kAuthorization, order_.authorizations(authorization_));
    case Stage::kOrder:
    case Stage::kFinalize:
      return OnOrder(response);
    case Stage::kCertificate:
      return OnCertificate(response);
  }
  std::unreachable();
}

Step AcmeOrder::OnProblem(const HttpMessage& response, std::int64_t now_unix) {
  proto::AcmeProblem problem;
  if (ReadJson(response.body, problem) && ProblemKind(problem) == "badNonce" &&
      ++bad_nonces_ <= kMaxBadNonces)
    return SignAndSend();
  return RefusedStep{fmt::format("the CA refuses {}: {}", StageWords(static_cast<int>(stage_)),
                                 RefusalText(response.status, response.body)),
                     RetryAfter(response.Header("retry-after"), now_unix)};
}

Step AcmeOrder::OnDirectory(const HttpMessage& response) {
  if (!ReadJson(response.body, directory_)) return Unreadable("its directory");
  if (directory_.new_nonce().empty() || directory_.new_account().empty() ||
      directory_.new_order().empty())
    return RefusedStep{"acme.directory names no ACME directory; take the CA's directory URL"};
  if (directory_.meta().external_account_required() && !setup_.external)
    return RefusedStep{
        "the CA wants an account that it has opened by other means; give acme.external_account"};
  std::string payload = R"({"termsOfServiceAgreed":true)";
  if (!setup_.contact.empty())
    payload += fmt::format(R"(,"contact":[{}])", JsonQuoted(setup_.contact));
  if (setup_.external)
    payload += fmt::format(R"(,"externalAccountBinding":{})",
                           ExternalBinding(*setup_.external, key_, directory_.new_account()));
  return Post(Stage::kAccount, directory_.new_account(), payload + "}");
}

// The same key gets the same account again (§7.3.1).
Step AcmeOrder::OnAccount(const HttpMessage& response) {
  proto::AcmeAccount account;
  account_url_ = response.Header("location");
  if (!ReadJson(response.body, account) || account_url_.empty()) return Unreadable("the account");
  if (!account.status().empty() && account.status() != "valid")
    return RefusedStep{
        "the CA has closed our account; delete acme-account.key in the state folder for a new one"};
  std::vector<std::string> identifiers;
  identifiers.reserve(setup_.names.size());
  for (const std::string& name : setup_.names)
    identifiers.push_back(fmt::format(R"({{"type":"dns","value":{}}})", JsonQuoted(name)));
  return Post(Stage::kNewOrder, directory_.new_order(),
              fmt::format(R"({{"identifiers":[{}]}})", fmt::join(identifiers, ",")));
}

Step AcmeOrder::OnNewOrder(const HttpMessage& response) {
  order_url_ = response.Header("location");
  if (!ReadJson(response.body, order_) || order_url_.empty() || order_.finalize().empty() ||
      order_.authorizations_size() > kMaxAuthorizations)
    return Unreadable("the order");
  return NextAuthorization();
}

Step AcmeOrder::NextAuthorization() {
  polls_ = 0;
  provided_ = false;
  if (authorization_ < order_.authorizations_size())
    return Post(Stage::kAuthorization, order_.authorizations(authorization_), {});
  return Post(Stage::kOrder, order_url_, {});
}

Step AcmeOrder::OnAuthorization(const HttpMessage& response) {
  proto::AcmeAuthorization authorization;
  if (!ReadJson(response.body, authorization)) return Unreadable("an authorization");
  const std::string& domain = authorization.identifier().value();
  const auto is_it = [&domain](const std::string& name) { return WithoutStar(name) == domain; };
  if (std::ranges::none_of(setup_.names, is_it))
    return RefusedStep{"the CA asks about a name that was not ordered"};
  if (authorization.status() == "valid") {
    ++authorization_;
    return NextAuthorization();
  }
  const auto& challenges = authorization.challenges();
  const auto ours = std::ranges::find(challenges, setup_.challenge, &proto::AcmeChallenge::type);
  if (authorization.status() != "pending") return Validated(authorization);
  if (ours == challenges.end()) {
    std::vector<std::string> offered;
    for (const proto::AcmeChallenge& challenge : challenges) offered.push_back(challenge.type());
    return RefusedStep{fmt::format("the CA does not validate '{}' by {}, only by: {}", domain,
                                   setup_.challenge, fmt::join(offered, ", "))};
  }
  if (provided_) return Poll(Stage::kAuthorization, order_.authorizations(authorization_));
  if (!IsToken(ours->token()) || ours->url().empty()) return Unreadable("a challenge");
  challenge_url_ = ours->url();
  const std::string content = KeyAuthorization(key_, ours->token());
  return ProvideStep{domain, ours->token(),
                     setup_.challenge == "dns-01" ? DnsValue(content) : content};
}

// Ended otherwise than well.
Step AcmeOrder::Validated(const proto::AcmeAuthorization& authorization) {
  const std::string& domain = authorization.identifier().value();
  for (const proto::AcmeChallenge& challenge : authorization.challenges())
    if (challenge.has_error())
      return RefusedStep{fmt::format("the CA could not validate '{}' by {}: {}", domain,
                                     setup_.challenge, ProblemText(challenge.error()))};
  return RefusedStep{fmt::format("the CA could not validate '{}' by {}", domain, setup_.challenge)};
}

Step AcmeOrder::OnProvided() {
  provided_ = true;
  return Post(Stage::kChallenge, challenge_url_, "{}");
}

Step AcmeOrder::OnOrder(const HttpMessage& response) {
  proto::AcmeOrderBody order;
  if (!ReadJson(response.body, order)) return Unreadable("the order");
  if (order.finalize().empty()) order.set_finalize(order_.finalize());
  order_ = std::move(order);
  return FollowOrder();
}

Step AcmeOrder::FollowOrder() {
  const std::string& status = order_.status();
  if (status == "ready" && !finalized_) {
    finalized_ = true;
    polls_ = 0;
    return Post(Stage::kFinalize, order_.finalize(),
                fmt::format(R"({{"csr":"{}"}})", Base64Url(setup_.request_der)));
  }
  if (status == "valid" && finalized_ && !order_.certificate().empty())
    return Post(Stage::kCertificate, order_.certificate(), {});
  if (status == "invalid" || (status == "valid" && !finalized_))
    return RefusedStep{fmt::format("the CA gives up the order: {}", ProblemText(order_.error()))};
  return Poll(Stage::kOrder, order_url_);
}

Step AcmeOrder::OnCertificate(const HttpMessage& response) {
  if (response.body.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    return Unreadable("the certificate");
  return IssuedStep{response.body};
}

Step AcmeOrder::Poll(Stage stage, const std::string& url) {
  if (++polls_ > kMaxPolls) return RefusedStep{"the CA does not come to an end"};
  stage_ = stage;
  url_ = url;
  const std::chrono::seconds ours{std::min(1U << std::min(polls_ - 1, 4U), 10U)};
  return WaitStep{std::min(std::max(wait_, ours), kLongestPoll)};
}

Step AcmeOrder::OnWaited() {
  return Post(stage_, std::string(url_), {});
}

}  // namespace gatehouse::acme
