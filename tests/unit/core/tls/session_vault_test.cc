#include "core/tls/session_vault.h"

#include <gmock/gmock.h>

namespace gatehouse {
namespace {

using testing::IsEmpty;

std::span<const std::uint8_t> Octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(SessionVault, GivesAStateOnceAndToItsServerNameOnly) {
  SessionVault vault;
  const std::string handle = vault.KeepForServer("corp.example", Octets("state"));
  EXPECT_EQ(handle.size(), SessionVault::kHandleBytes);
  EXPECT_EQ(vault.TakeForServer("corp.example", handle), "state");
  EXPECT_THAT(vault.TakeForServer("corp.example", handle), IsEmpty());
  const std::string other = vault.KeepForServer("corp.example", Octets("state"));
  EXPECT_THAT(vault.TakeForServer("second.example", other), IsEmpty());
  EXPECT_THAT(vault.TakeForServer("corp.example", std::string(32, 'x')), IsEmpty());
}

bssl::UniquePtr<SSL_SESSION> NewSession() {
  const bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  return bssl::UniquePtr<SSL_SESSION>(SSL_SESSION_new(context.get()));
}

TEST(SessionVault, OffersEachSessionOnceTheNewestFirst) {
  SessionVault vault;
  vault.KeepForClient("partner.example", NewSession());
  auto newest = NewSession();
  const SSL_SESSION* const newest_one = newest.get();
  vault.KeepForClient("partner.example", std::move(newest));
  EXPECT_EQ(vault.TakeForClient("other.example"), nullptr);
  EXPECT_EQ(vault.TakeForClient("partner.example").get(), newest_one);
  EXPECT_NE(vault.TakeForClient("partner.example"), nullptr);
  EXPECT_EQ(vault.TakeForClient("partner.example"), nullptr);
  vault.KeepForClient("partner.example", NewSession());
  vault.ForgetForClient("partner.example");
  EXPECT_EQ(vault.TakeForClient("partner.example"), nullptr);
}

TEST(SessionVault, KeepsNoMoreThanItHasRoomFor) {
  SessionVault vault;
  const std::string oldest = vault.KeepForServer("corp.example", Octets("oldest"));
  std::string newest;
  for (std::size_t i = 0; i < kMaxKeptSessions; ++i)
    newest = vault.KeepForServer("corp.example", Octets("newer"));
  EXPECT_THAT(vault.TakeForServer("corp.example", oldest), IsEmpty());
  EXPECT_EQ(vault.TakeForServer("corp.example", newest), "newer");
}

}  // namespace
}  // namespace gatehouse
