// See seeded_entropy.h. The generator is SplitMix64 (Steele, Lea, Flood 2014).
#include "system/fake/seeded_entropy.h"

namespace howdah::system {

void SeededEntropy::Fill(std::span<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  for (std::byte& byte : bytes) {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    byte = static_cast<std::byte>(mixed >> 56U);
  }
}

}  // namespace howdah::system
