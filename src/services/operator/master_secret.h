// Which secret holds the master password of an instance, for `howdah psql`.
#pragma once

#include <string>

#include "fleet/instance.h"
#include "secrets/secrets.h"

namespace howdah::services {

// The ARN of the secret that names this instance (as SecretTargetAttachment writes it), or of one
// that names its endpoint and its master user; empty where there is none.
std::string MasterSecretOf(secrets::Secrets& secrets, const fleet::Instance& instance);

}  // namespace howdah::services
