// The agent's name for system/real/interrupt.h.
#pragma once

#include "system/real/interrupt.h"

namespace howdah::host {

using system::Interrupt;

}  // namespace howdah::host
