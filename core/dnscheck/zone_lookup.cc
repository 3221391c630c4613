#include "core/dnscheck/zone_lookup.h"

#include <functional>

namespace gatehouse::dnscheck {

Result<ZonePicture> LookUpZone(const std::string& resolver, std::string_view domain) {
  GATEHOUSE_TRY(const auto loop, Loop::Create());
  GATEHOUSE_TRY(const auto sections, DnsSections::Create(*loop, resolver));
  ZonePicture picture;
  picture.resolver = resolver;
  std::size_t open = 0;
  // A round: what the answers of the one before lead to.
  const std::function<void()> ask = [&] {
    const auto questions = NextQuestions(domain, picture);
    if (questions.empty()) return loop->Stop();
    open = questions.size();
    for (const ZoneQuestion& question : questions)
      sections->Ask(question.name, question.type, [&, question](DnsSection section) {
        picture.sections.emplace(question, std::move(section));
        if (--open == 0) ask();
      });
  };
  loop->Post(ask);
  loop->Run();
  return picture;
}

}  // namespace gatehouse::dnscheck
