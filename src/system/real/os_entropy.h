// The kernel's random numbers, fit for keys.
#pragma once

#include "system/entropy.h"

namespace howdah::system {

class OsEntropy final : public Entropy {
 public:
  void Fill(std::span<std::byte> bytes) override;
};

}  // namespace howdah::system
