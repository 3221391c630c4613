// The store of contacts by itself: fills a policy.db with many pairs and times what the policy
// engine does with it. Prints one JSON object; tests/bench/run goes on with the file it leaves.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/store.h"
#include "tests/bench/spans.h"

namespace gatehouse::policy_engine {
namespace {

using bench::Microseconds;
using bench::Percentiles;
using std::chrono::steady_clock;

constexpr std::size_t kContactsOfAUser = 50;
// None of them has as many as it may.
constexpr std::size_t kPartners = 100;
constexpr std::size_t kBatch = 10'000;
constexpr int kLookups = 100'000;
constexpr int kWrites = 200;

ContactPair PairOf(std::size_t number) {
  return {fmt::format("user{}@contoso.example", number / kContactsOfAUser),
          fmt::format("contact{}@p{}.example", number, number % kPartners)};
}

class Bench {
 public:
  Bench(std::string path, std::size_t pairs) : path_(std::move(path)), pairs_(pairs) {}

  Result<std::string> Run() {
    const auto begin = steady_clock::now();
    GATEHOUSE_TRY_VOID(Fill());
    const double fill_s = Microseconds(steady_clock::now() - begin) / 1e6;
    const auto reopen = steady_clock::now();
    GATEHOUSE_TRY(Store store, Store::Open(path_));
    const double open_ms = Microseconds(steady_clock::now() - reopen) / 1e3;
    const auto count = steady_clock::now();
    GATEHOUSE_TRY_VOID(store.CountContacts());
    const double count_ms = Microseconds(steady_clock::now() - count) / 1e3;
    GATEHOUSE_TRY(const std::string hits, Lookups(store, 0));
    GATEHOUSE_TRY(const std::string misses, Lookups(store, pairs_ + kContactsOfAUser));
    GATEHOUSE_TRY(const std::string one, Subscribes(store, 1));
    GATEHOUSE_TRY(const std::string hundred, Subscribes(store, 100));
    GATEHOUSE_TRY(const std::string sweeps, Sweeps(store));
    GATEHOUSE_TRY(const std::string lists, Lists(store));
    return fmt::format(
        R"({{"pairs":{},"import_s":{:.1f},"file_mib":{:.1f},"open_ms":{:.0f},"count_ms":{:.0f},"hit":{},"miss":{},)"
        R"("one_subscribe":{},"hundred_subscribes":{},"sweep":{},"list_page":{}}})",
        pairs_, fill_s, static_cast<double>(std::filesystem::file_size(path_)) / 1048576.0, open_ms,
        count_ms, hits, misses, one, hundred, sweeps, lists);
  }

 private:
  [[nodiscard]] ContactClock Now() const { return {1'800'000'000, 2'592'000}; }

  Result<void> See(Store& store, const std::vector<ContactPair>& pairs) {
    GATEHOUSE_TRY(const auto marks, store.SeeContacts(pairs, Now()));
    for (const auto& mark : marks)
      if (!mark) return Trouble("a contact was not stored");
    return {};
  }

  Result<void> Fill() {
    GATEHOUSE_TRY(Store store, Store::Open(path_));
    for (std::size_t i = 0; i < kPartners; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id(std::to_string(i));
      partner.set_domain(fmt::format("p{}.example", i));
      AuditEntry entry;
      *entry.changes.emplace_back().mutable_after()->mutable_partner() = partner;
      GATEHOUSE_TRY_VOID(store.Write(std::move(entry)));
    }
    std::vector<ContactPair> batch;
    for (std::size_t i = 0; i < pairs_; ++i) {
      batch.push_back(PairOf(i));
      if (batch.size() < kBatch && i + 1 < pairs_) continue;
      GATEHOUSE_TRY_VOID(See(store, batch));
      batch.clear();
    }
    return {};
  }

  // Of random pairs from `first` on: those from pairs_ on are not there.
  Result<std::string> Lookups(Store& store, std::size_t first) {
    std::uniform_int_distribution<std::size_t> any(first, first + pairs_ - 1);
    std::vector<double> times;
    for (int i = 0; i < kLookups; ++i) {
      const ContactPair pair = PairOf(any(random_));
      const auto begin = steady_clock::now();
      GATEHOUSE_TRY(const auto row, store.FindContact(pair, Now()));
      times.push_back(Microseconds(steady_clock::now() - begin));
      if (row.has_value() != (first == 0)) return Trouble("a look-up went wrong");
    }
    return Percentiles(std::move(times));
  }

  // New pairs, `together` in one transaction.
  Result<std::string> Subscribes(Store& store, std::size_t together) {
    std::vector<double> times;
    for (int i = 0; i < kWrites; ++i) {
      std::vector<ContactPair> pairs;
      for (std::size_t n = 0; n < together; ++n) pairs.push_back(PairOf(3 * pairs_ + fresh_++));
      const auto begin = steady_clock::now();
      GATEHOUSE_TRY_VOID(See(store, pairs));
      times.push_back(Microseconds(steady_clock::now() - begin));
    }
    return Percentiles(std::move(times));
  }

  Result<std::string> Sweeps(Store& store) {
    std::vector<double> times;
    for (std::size_t i = 0; i <= pairs_ / ContactTable::kPortion; ++i) {
      const auto begin = steady_clock::now();
      GATEHOUSE_TRY_VOID(store.SweepContacts(Now()));
      times.push_back(Microseconds(steady_clock::now() - begin));
    }
    return Percentiles(std::move(times));
  }

  Result<std::string> Lists(Store& store) {
    std::vector<double> times;
    ContactFilter filter{.contact = "nobody@p0.example"};
    do {
      const auto begin = steady_clock::now();
      GATEHOUSE_TRY(const ContactPage page, store.ListContacts(filter, Now()));
      times.push_back(Microseconds(steady_clock::now() - begin));
      filter.after = page.next;
    } while (!filter.after.empty());
    return Percentiles(std::move(times));
  }

  std::string path_;
  std::size_t pairs_;
  std::size_t fresh_ = 0;
  std::mt19937_64 random_{1};
};

}  // namespace
}  // namespace gatehouse::policy_engine

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: gatehouse_contacts_bench FILE PAIRS\n");
    return 2;
  }
  const auto result =
      gatehouse::policy_engine::Bench(argv[1], std::strtoull(argv[2], nullptr, 10)).Run();
  if (!result) {
    std::fprintf(stderr, "gatehouse_contacts_bench: %s\n", result.error().text.c_str());
    return 1;
  }
  std::printf("%s\n", result->c_str());
  return 0;
}
