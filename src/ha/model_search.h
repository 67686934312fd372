// The search through every state of the small world, breadth first: what is found wrong is found by
// a shortest history.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ha/model_rules.h"

namespace howdah::ha::model {

// The states that were met, by their hashes alone: two of so many million having the same is less
// likely than one in a hundred thousand.
class Hashes {
 public:
  bool Contains(std::uint64_t hash) const { return slots_[Find(hash)] != 0; }
  bool Insert(std::uint64_t hash) {
    const std::size_t slot = Find(hash);
    if (slots_[slot] != 0) return false;
    slots_[slot] = hash | kUsed;
    if (++count_ * 2 > slots_.size()) Grow();
    return true;
  }

 private:
  static constexpr std::uint64_t kUsed = 1;

  std::size_t Find(std::uint64_t hash) const {
    std::size_t slot = (hash >> 20) & (slots_.size() - 1);
    while (slots_[slot] != 0 && slots_[slot] != (hash | kUsed))
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  void Grow() {
    std::vector<std::uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    for (const std::uint64_t hash : old) {
      if (hash != 0) slots_[Find(hash)] = hash;
    }
  }

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1U << 16);
  std::size_t count_ = 0;
};

// How a state was come to first.
struct Origin {
  std::uint32_t from;
  std::uint32_t step;  // the how-manieth successor
};

struct Search {
  Rules rules;
  std::vector<Origin> origins;
  Hashes visited;
  Hashes leads_to_protected;
  Hashes healthy;  // pairs that were walked from
  std::set<std::pair<Phase, Phase>> edges;
  std::uint64_t steps = 0;
  bool complete = true;
  std::string violation;  // with its history
};

// `walks`: whether the walks are walked from every state, too.
Search Explore(const Rules& rules, const World& begin, bool walks = true);

}  // namespace howdah::ha::model
