// Secrets Manager's operations, translated to the room `secrets`. What AWS would do and Howdah does
// not yet (keys of one's own, replicas, rotation, resource policies) is refused, never stored.
#pragma once

#include "aws/service.h"
#include "secrets/secrets.h"
#include "system/entropy.h"

namespace howdah::services {

// `service` is made of aws::secretsmanager::kService. What is passed by reference outlives it.
void RegisterSecretsManager(aws::Service& service, secrets::Secrets& secrets,
                            system::Entropy& entropy);

}  // namespace howdah::services
