#include "core/ctl/certificate_files.h"

#include <fmt/format.h>

#include "core/certificate/certificate_bundle.h"
#include "core/ctl/fresh_file.h"

namespace gatehouse::ctl {
namespace {

Result<void> AddFile(const std::string& name, proto::CertificateImport& import) {
  GATEHOUSE_TRY(std::string content, ReadFileHead(name, kMaxBundleBytes + 1));
  if (content.size() > kMaxBundleBytes)
    return BadConfig(
        fmt::format("'{}' has more than {} octets; give the certificates and the key "
                    "only",
                    name, kMaxBundleBytes));
  if (content.empty()) return BadConfig(fmt::format("'{}' is empty", name));
  proto::CertificateFile& file = *import.add_files();
  file.set_file(name);
  file.set_content(std::move(content));
  return {};
}

}  // namespace

Ending ImportCertificate(const Invocation& invocation, const Outside& outside) {
  proto::CtlRequest request = invocation.request;
  proto::CertificateImport& import = *request.mutable_certificate_import();
  for (const std::string& file : invocation.files)
    if (const Result<void> added = AddFile(file, import); !added)
      return Refused(added.error().text);
  if (!invocation.passphrase_file.empty()) {
    Result<std::string> passphrase = ReadPassphrase(invocation.passphrase_file);
    if (!passphrase) return Refused(passphrase.error().text);
    import.set_passphrase(*std::move(passphrase));
  }
  const auto response = GoodAnswer(invocation, request, outside);
  if (!response) return response.error();
  return {kDone, Shown(invocation, request, *response), {}};
}

Ending ExportKey(const Invocation& invocation, const Outside& outside) {
  Result<KeyFile> file = KeyFile::Create(invocation.file);
  if (!file) return Refused(file.error().text);
  const auto response = GoodAnswer(invocation, invocation.request, outside);
  if (!response) return response.error();
  const std::string& key = response->certificate_key().key();
  if (key.empty()) return Refused("the answer holds no key; try again");
  if (const Result<void> written = file->Write(key); !written) return Refused(written.error().text);
  file->Keep();
  proto::CtlResponse told;
  told.set_done(fmt::format("the key of '{}' is in '{}'",
                            invocation.request.certificate_key_get().name(), invocation.file));
  return {kDone, Shown(invocation, invocation.request, told), {}};
}

}  // namespace gatehouse::ctl
