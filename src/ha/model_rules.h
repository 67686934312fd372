// The invariants of the failover, by the names that they have in the design: each looks at one step
// of the small world and says whether it holds. Those of progress (I13, I16) are walks.
#pragma once

#include <vector>

#include "ha/model_world.h"

// Under AddressSanitizer the tests walk a sample of the world.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOWDAH_SLOW_BUILD
#endif
#endif

namespace howdah::ha::model {

#ifdef HOWDAH_SLOW_BUILD
inline constexpr bool kIsSlowBuild = true;
#else
inline constexpr bool kIsSlowBuild = false;
#endif

inline bool Within(Byte part, Byte whole) {
  return (part & static_cast<Byte>(~whole)) == 0;
}

inline Byte AllCommits(const Node& node) {
  return CommitsIn(node, node.length);
}

struct Invariant {
  const char* name;
  bool (*holds)(const World& before, const World& after);
};

const std::vector<Invariant>& Invariants();

// I19: what counts here is counted by the world, not by the record.
bool I19FailoversAreLimited(const Rules& rules, const World& before, const World& after);

// I13: with no control plane at all, a healthy protected pair goes on acknowledging.
bool AcknowledgesAlone(const Rules& rules, World world);

// I14, I21: of a healthy protected pair one can be lost, because it ends or because its disk is
// full (here: it ends and cannot be started), and clients are answered again.
bool GoesOnWithout(const Rules& rules, World world, int lost, std::string* where = nullptr);

// I16: with every fault gone, a fair walk ends in kProtected with every promise kept. Whether a
// state that it comes by is known to lead there is asked and told through `known`.
bool ComesToProtected(const Rules& rules, World world,
                      const std::function<bool(const World&)>& known, std::string* where);

// The edges between phases that there may be.
bool IsEdge(Phase from, Phase to);

}  // namespace howdah::ha::model
