#include "ipc/greeting.h"

#include <gtest/gtest.h>

#include <vector>

namespace gatehouse::ipc {
namespace {

constexpr std::uint64_t kOurs = 1;
constexpr std::uint64_t kTheirs = 2;
constexpr std::uint64_t kTheirNext = 3;

TEST(Greeting, HearsNobodyBeforeTheSupervisorNamedHim) {
  Greeting greeting(kOurs);
  EXPECT_FALSE(greeting.Hear(kTheirs, kOurs, 1).accepted);
  EXPECT_FALSE(greeting.Hear(0, kOurs, 1).accepted);
  EXPECT_FALSE(greeting.open());
}

TEST(Greeting, OpensOnAFrameThatNamesBothEpochs) {
  Greeting greeting(kOurs);
  EXPECT_TRUE(greeting.Announce(kTheirs));
  EXPECT_FALSE(greeting.open());
  const auto heard = greeting.Hear(kTheirs, kOurs, 0);
  EXPECT_TRUE(heard.accepted);
  EXPECT_TRUE(heard.opened);
  EXPECT_FALSE(heard.answer);
  EXPECT_TRUE(greeting.open());
}

TEST(Greeting, AnswersAHello) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  EXPECT_TRUE(greeting.Hear(kTheirs, kOurs, 1).answer);
}

TEST(Greeting, DropsFramesOfOtherLives) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  EXPECT_FALSE(greeting.Hear(kTheirNext, kOurs, 0).accepted);
  EXPECT_FALSE(greeting.Hear(kTheirs, kOurs + 100, 0).accepted);
  EXPECT_FALSE(greeting.open());
}

TEST(Greeting, StaysOpenWithoutOpeningAgain) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  greeting.Hear(kTheirs, kOurs, 0);
  EXPECT_FALSE(greeting.Announce(kTheirs));
  EXPECT_TRUE(greeting.open());
  EXPECT_FALSE(greeting.Hear(kTheirs, kOurs, 0).opened);
}

TEST(Greeting, AHelloOnAnOpenLinkMeansThatWordsWereLost) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  greeting.Hear(kTheirs, kOurs, 0);
  EXPECT_TRUE(greeting.Hear(kTheirs, kOurs, 1).opened);
}

TEST(Greeting, ARepeatedHelloIsAnsweredAndOpensNothingAgain) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  EXPECT_TRUE(greeting.Hear(kTheirs, kOurs, 4).opened);
  const auto repeated = greeting.Hear(kTheirs, kOurs, 4);
  EXPECT_TRUE(repeated.answer);
  EXPECT_FALSE(repeated.opened);
  EXPECT_TRUE(greeting.Hear(kTheirs, kOurs, 5).opened);
}

TEST(Greeting, BeginsToGreetWithANewNumberAfterALoss) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  const std::uint32_t first = greeting.hello();
  EXPECT_NE(first, 0U);
  greeting.Hear(kTheirs, kOurs, 0);
  greeting.Lost();
  EXPECT_TRUE(greeting.greets());
  EXPECT_NE(greeting.hello(), first);
}

TEST(Greeting, ANewLifeIsGreetedAnew) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  greeting.Hear(kTheirs, kOurs, 0);
  EXPECT_TRUE(greeting.Announce(kTheirNext));
  EXPECT_TRUE(greeting.greets());
  EXPECT_FALSE(greeting.Hear(kTheirs, kOurs, 0).accepted);
}

TEST(Greeting, ClosedHearsNothingUntilTheNextLife) {
  Greeting greeting(kOurs);
  greeting.Announce(kTheirs);
  greeting.Hear(kTheirs, kOurs, 0);
  greeting.Close();
  EXPECT_FALSE(greeting.Hear(kTheirs, kOurs, 1).accepted);
  EXPECT_FALSE(greeting.Announce(kTheirs));
  greeting.Lost();
  EXPECT_EQ(greeting.state(), Greeting::State::kClosed);
  EXPECT_TRUE(greeting.Announce(kTheirNext));
}

// Two ends that hear of each other at any two moments, frames lost or not, end up open, and neither
// offers before the other knows it. Each row is an order of events: u/U SiblingUp at a/b, f/F the
// oldest frame to a/b arrives, t/T the greeting of a/b is repeated.
class GreetingRace : public ::testing::TestWithParam<const char*> {
 protected:
  struct Frame {
    std::uint32_t hello;
    bool offers;
  };
  struct Side {
    Greeting greeting;
    std::vector<Frame> incoming;
  };
  static void Up(Side& side, std::uint64_t epoch, Side& other) {
    if (side.greeting.Announce(epoch)) other.incoming.push_back({side.greeting.hello(), false});
  }
  static void Arrive(Side& side, std::uint64_t epoch, std::uint64_t own, Side& other) {
    if (side.incoming.empty()) return;
    const Frame frame = side.incoming.front();
    side.incoming.erase(side.incoming.begin());
    const auto heard = side.greeting.Hear(epoch, own, frame.hello);
    EXPECT_TRUE(heard.accepted || !frame.offers) << "an offer met a stranger";
    if (heard.opened || heard.answer) other.incoming.push_back({0, heard.opened});
  }
};

TEST_P(GreetingRace, OpensBothEndsAndNoOfferMeetsAStranger) {
  Side a{Greeting{kOurs}, {}};
  Side b{Greeting{kTheirs}, {}};
  const auto step = [&](char event) {
    if (event == 'u') Up(a, kTheirs, b);
    if (event == 'U') Up(b, kOurs, a);
    if (event == 'f') Arrive(a, kTheirs, kOurs, b);
    if (event == 'F') Arrive(b, kOurs, kTheirs, a);
    if (event == 't' && a.greeting.greets()) b.incoming.push_back({a.greeting.hello(), false});
    if (event == 'T' && b.greeting.greets()) a.incoming.push_back({b.greeting.hello(), false});
    if (event == 'x') a.incoming.clear();
    if (event == 'X') b.incoming.clear();
  };
  for (const char* event = GetParam(); *event != '\0'; ++event) step(*event);
  for (const char* event = "tTfFfFfFfF"; *event != '\0'; ++event) step(*event);
  EXPECT_TRUE(a.greeting.open());
  EXPECT_TRUE(b.greeting.open());
}

INSTANTIATE_TEST_SUITE_P(Orders, GreetingRace,
                         ::testing::Values("uU",      // both at once, hellos cross
                                           "uFU",     // a's hello came before b knew of a
                                           "UfuF",    // the same the other way
                                           "uFUfF",   // b's own hello opens a
                                           "uUXxtT",  // both hellos were lost
                                           "uUX", "uUx", "ttuTTU", "uFtFtFU", "UuffFFtT"));

}  // namespace
}  // namespace gatehouse::ipc
