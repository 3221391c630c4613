// The federation data as YAML: what `export` prints and `apply` reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/yaml_reader.h"
#include "proto/ctl.pb.h"
#include "proto/federation_data.pb.h"

namespace gatehouse {

// The key of a field of this name: the name, but of a time, such as expires_unix, "expires".
[[nodiscard]] std::string_view DataKey(std::string_view field);

// Keys are by DataKey; every setting is written out, but for texts and lists that are empty.
// What the engine keeps by itself (ids, revisions) is left out. Read again it gives the same data.
[[nodiscard]] std::string DataYaml(const proto::FederationData& data);

// What operators said of contacts, as a further section of the same file; of a view it has the SIP
// user, the contact and the state.
[[nodiscard]] std::string ContactsYaml(const proto::ContactViews& contacts);

struct DataFile {
  proto::FederationData data;
  proto::ContactViews contacts;
  std::vector<std::string> sections;  // of `data`, the keys the file has; others are not meant
  bool has_contacts = false;          // the file has the section `contacts:`
  YamlPlaces places;
  std::vector<Error> mistakes;  // all there are, each "FILE:LINE: key 'a.b': what; remedy"
};

// A setting that is left out has the default of a new record. `file` is for messages.
[[nodiscard]] DataFile ReadDataYaml(std::string_view text, std::string_view file);

}  // namespace gatehouse
