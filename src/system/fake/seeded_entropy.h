// Numbers that a seed repeats. For tests only: never fit for a key. Safe from any thread.
#pragma once

#include <cstdint>
#include <mutex>

#include "system/entropy.h"

namespace howdah::system {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed = 1) : state_(seed) {}
  void Fill(std::span<std::byte> bytes) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace howdah::system
