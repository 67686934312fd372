#include "services/operator/master_secret.h"

#include "base/json.h"

namespace howdah::services {

std::string MasterSecretOf(secrets::Secrets& secrets, const fleet::Instance& instance) {
  const auto all = secrets.List();
  if (!all) return "";
  for (const secrets::Record& record : *all) {
    const auto value = secrets.GetValue(record.arn, "", "");
    if (!value || value->content.binary) continue;
    const auto fields = ParseJsonObject(value->content.bytes);
    if (!fields || JsonString(*fields, "username") != instance.master_user) continue;
    if (JsonString(*fields, "dbInstanceIdentifier") == instance.identifier ||
        JsonString(*fields, "host") == instance.host_address) {
      return record.arn;
    }
  }
  return "";
}

}  // namespace howdah::services
