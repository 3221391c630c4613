// Answers "another certificate than the one I hold, for the slot my plugin has?": at once when
// there is one, else when there is. Whose slot it is, the link says over which the question came.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/certificate/slot_fitness.h"
#include "proto/certificates.pb.h"

namespace gatehouse::policy_engine {

// "tls_listener/3" and "dialback_verifier/0", whom partners would turn away without one, show slot
// xmpp, "sip_translator/0" slot sip; nobody else shows any.
[[nodiscard]] std::optional<Slot> SlotOfInstance(std::string_view instance);

class CertificatePublication {
 public:
  // Called once per question with a serialised PolicyAnswer or an error, now or later.
  using Reply = std::function<void(Result<std::string>)>;
  using Give = std::function<proto::CertificateGiven(Slot)>;

  // `give`: what a slot shows now, with its key, which is not kept here.
  explicit CertificatePublication(Give give) : give_(std::move(give)) {}
  // What is shown may have changed. Gives whether it has.
  bool Refresh();
  // Holds one question per instance: a newer one means that the older has passed its deadline.
  void Ask(std::string_view instance, std::string_view held_hash, Reply reply);
  // Lets every open question go.
  void Close();
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    Slot slot;
    Reply reply;
  };
  void Answer(Slot slot, const Reply& reply);

  Give give_;
  std::map<Slot, std::string> hashes_;
  std::map<std::string, Waiting, std::less<>> waiting_;
};

}  // namespace gatehouse::policy_engine
