// See busy_poll.h.
#include "gateway/busy_poll.h"

#include <algorithm>

namespace howdah::gateway {
namespace {

// Several sessions that take turns come to two or three messages of one in a row by chance.
constexpr int kEnough = 8;
constexpr int kMost = 12;
// So that a session whose statements are long pays for two looks at most before they stop.
constexpr int kSlowCosts = 4;

}  // namespace

std::chrono::microseconds BusyPoll::Window() const {
  return score_ >= kEnough ? kWindow : std::chrono::microseconds{0};
}

void BusyPoll::Note(std::chrono::nanoseconds waited, std::optional<std::uint64_t> session) {
  const bool is_alone = session && session == last_;
  last_ = session;
  if (!is_alone) {
    score_ = 0;
  } else {
    score_ = waited <= kWindow ? std::min(score_ + 1, kMost) : std::max(score_ - kSlowCosts, 0);
  }
}

}  // namespace howdah::gateway
