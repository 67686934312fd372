// Additive increase, multiplicative decrease. Commits that stay slow while the backup does next to
// nothing are slow for another reason: then that is the usual, and the backup goes on.
#include "backup/throttle.h"

#include <algorithm>

namespace howdah::backup {

namespace {

constexpr double kStepUp = 0.05;
constexpr double kStepDown = 0.6;

}  // namespace

bool Throttle::IsSlow(Duration commit) const {
  const auto allowed = static_cast<double>(usual_->count()) * limits_.slowdown;
  return static_cast<double>((commit - limits_.grace).count()) > allowed;
}

void Throttle::Observe(std::optional<Duration> commit) {
  if (commit && !usual_) usual_ = commit;
  if (!commit || !IsSlow(*commit)) {
    share_ = std::min(1.0, share_ + kStepUp);
    at_least_ = 0;
    return;
  }
  share_ = std::max(limits_.least_share, share_ * kStepDown);
  if (share_ > limits_.least_share) return;
  if (++at_least_ < limits_.patience) return;
  usual_ = commit;
  at_least_ = 0;
}

Duration Throttle::PauseAfter(Duration worked) const {
  const double pause = static_cast<double>(worked.count()) * (1 / share_ - 1);
  return std::min(limits_.longest_pause, Duration(static_cast<Duration::rep>(pause)));
}

}  // namespace howdah::backup
