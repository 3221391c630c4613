#include "plugins/sip_translator/contact_states.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace gatehouse::translator {
namespace {

class ContactStatesTest : public testing::Test {
 protected:
  void Say(proto::ContactState state) {
    proto::PolicyAnswer answer;
    answer.mutable_contact()->set_state(state);
    SayThis(answer);
  }
  void SayThis(Result<proto::PolicyAnswer> answer) {
    ASSERT_FALSE(asked.empty());
    const ContactStates::OnAnswer on_answer = std::move(asked.front());
    asked.pop_front();
    on_answer(std::move(answer));
  }
  void Await(const ContactPair& pair, std::string name, seconds within = seconds{10}) {
    states->Await(pair, clock.In(within), [this, name = std::move(name)](bool known) {
      told.push_back(name + (known ? "" : " too late"));
    });
  }

  static constexpr seconds kMonth{2'592'000};
  using Told = std::vector<std::string>;
  const ContactPair bob{"ann@corp.example", "bob@partner.example"};
  const ContactPair eve{"ann@corp.example", "eve@partner.example"};
  FakeClock clock;
  std::deque<ContactStates::OnAnswer> asked;
  Told told;
  std::optional<ContactStates> states{
      std::in_place, clock,
      [this](const proto::PolicyQuestion& question, milliseconds, ContactStates::OnAnswer answer) {
        EXPECT_EQ(question.contact().sip_user(), "ann@corp.example");
        asked.push_back(std::move(answer));
      }};
};

TEST_F(ContactStatesTest, AsksOnceForAPairAndKeepsTheOrderOfWhatWaits) {
  EXPECT_EQ(states->Find(bob), ContactState::kNotAsked);
  for (const auto* name : {"1", "2", "3"}) Await(bob, name);
  Await(eve, "other");
  EXPECT_EQ(asked.size(), 2U);
  EXPECT_TRUE(states->Waits(bob));
  EXPECT_EQ(states->waiting(), 4U);
  EXPECT_TRUE(told.empty());
  Say(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(told, (Told{"1", "2", "3"}));
  EXPECT_FALSE(states->Waits(bob));
  EXPECT_TRUE(states->Waits(eve));
  EXPECT_EQ(states->Find(bob), ContactState::kAuthorised);
  Say(proto::CONTACT_BLOCKED);
  EXPECT_EQ(states->Find(eve), ContactState::kBlocked);
  EXPECT_EQ(states->waiting(), 0U);
}

TEST_F(ContactStatesTest, ForgetsEverythingWithAnotherEpochOnly) {
  states->OnSnapshot(1, kMonth);
  Await(bob, "1");
  Say(proto::CONTACT_UNKNOWN);
  EXPECT_EQ(states->Find(bob), ContactState::kNotAuthorised);
  states->OnSnapshot(1, kMonth);
  EXPECT_EQ(states->Find(bob), ContactState::kNotAuthorised);
  states->OnSnapshot(2, kMonth);
  EXPECT_EQ(states->Find(bob), ContactState::kNotAsked);
}

TEST_F(ContactStatesTest, AsksAgainWhenContactsChangedOverTheQuestion) {
  Await(bob, "1");
  states->OnSnapshot(7, kMonth);
  Say(proto::CONTACT_AUTHORISED);
  EXPECT_TRUE(told.empty()) << "it may be void already";
  ASSERT_EQ(asked.size(), 1U);
  Say(proto::CONTACT_BLOCKED);
  EXPECT_EQ(told, Told{"1"});
  EXPECT_EQ(states->Find(bob), ContactState::kBlocked);
}

TEST_F(ContactStatesTest, GoesOnAskingWhileAnybodyWaits) {
  Await(bob, "1");
  SayThis(Trouble("no answer in time"));
  EXPECT_TRUE(asked.empty());
  states->Tick();
  ASSERT_EQ(asked.size(), 1U);
  states->Tick();
  EXPECT_EQ(asked.size(), 1U) << "one question at a time";
  SayThis(proto::PolicyAnswer());  // an answer to something else
  states->Tick();
  Say(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(told, Told{"1"});
}

TEST_F(ContactStatesTest, EndsWhatWaitsWithinItsOwnDeadline) {
  Await(bob, "short", seconds{2});
  Await(bob, "long", seconds{20});
  clock.Advance(seconds{2});
  states->Tick();
  EXPECT_EQ(told, Told{"short too late"});
  Say(proto::CONTACT_AUTHORISED);
  EXPECT_EQ(told, (Told{"short too late", "long"}));
  Await(eve, "alone", seconds{1});
  clock.Advance(seconds{1});
  states->Tick();
  EXPECT_FALSE(states->anybody_waits());
  Say(proto::CONTACT_AUTHORISED);  // nobody waits for that any more
  EXPECT_EQ(told.back(), "alone too late");
}

TEST_F(ContactStatesTest, KeepsNoAnswerForLongerThanItsLife) {
  states->Learn(bob, ContactState::kAuthorised);
  clock.Advance(ContactStates::kLife - seconds{1});
  EXPECT_EQ(states->Find(bob), ContactState::kAuthorised);
  clock.Advance(seconds{1});
  EXPECT_EQ(states->Find(bob), ContactState::kNotAsked);
}

TEST_F(ContactStatesTest, KeepsNoAnswerForLongerThanAnAuthorisationLives) {
  states->OnSnapshot(0, seconds{60});
  states->Learn(bob, ContactState::kAuthorised);
  clock.Advance(seconds{59});
  EXPECT_EQ(states->Find(bob), ContactState::kAuthorised);
  clock.Advance(seconds{1});
  EXPECT_EQ(states->Find(bob), ContactState::kNotAsked);
}

TEST_F(ContactStatesTest, IsBounded) {
  for (std::size_t i = 0; i <= ContactStates::kMaxKnown; ++i)
    states->Learn({"ann@corp.example", std::to_string(i) + "@partner.example"},
                  ContactState::kAuthorised);
  EXPECT_EQ(states->Find({"ann@corp.example", "0@partner.example"}), ContactState::kNotAsked);
}

TEST_F(ContactStatesTest, TakesAnAnswerThatComesAfterItsEnd) {
  Await(bob, "1");
  states.reset();
  Say(proto::CONTACT_AUTHORISED);
  EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace gatehouse::translator
