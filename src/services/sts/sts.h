// The Security Token Service, as far as clients ask who they are.
#pragma once

#include "aws/service.h"

namespace howdah::services {

// Registers GetCallerIdentity. It needs nothing but the request's context.
void RegisterSts(aws::Service& service);

}  // namespace howdah::services
