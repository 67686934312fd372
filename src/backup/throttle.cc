// Additive increase, multiplicative decrease. Commits that stay slow while the backup does next to
// nothing are slow for another reason: then that is the usual, and the backup goes on.
#include "backup/throttle.h"

#include <algorithm>

namespace howdah::backup {

namespace {

constexpr double kStepUp = 0.05;
constexpr double kStepDown = 0.6;
constexpr double kBelief = 0.1;

}  // namespace

bool Throttle::AreSlow(const Commits& commits) const {
  const auto allowed = static_cast<double>(usual_->time.count()) * limits_.slowdown;
  if (static_cast<double>((commits.time - limits_.grace).count()) > allowed) return true;
  return commits.per_second > 0 && commits.per_second < usual_->per_second * limits_.least_rate;
}

void Throttle::SetUsual(const Commits& commits) {
  usual_ = commits;
  if (commits.per_second > 0) share_ = std::min(share_, limits_.first_share);
}

void Throttle::Observe(const std::optional<Commits>& commits) {
  if (commits && !usual_) usual_ = commits;
  if (!commits || !AreSlow(*commits)) {
    share_ = std::min(1.0, share_ + kStepUp);
    at_least_ = 0;
    // A workload that grows; little by little, because one interval is chance.
    const double more = commits ? commits->per_second - usual_->per_second : 0;
    if (more > 0) usual_->per_second += more * kBelief;
    return;
  }
  share_ = std::max(limits_.least_share, share_ * kStepDown);
  if (share_ > limits_.least_share) return;
  if (++at_least_ < limits_.patience) return;
  usual_ = commits;
  at_least_ = 0;
}

Duration Throttle::PauseAfter(Duration worked) const {
  const double pause = static_cast<double>(worked.count()) * (1 / share_ - 1);
  return std::min(limits_.longest_pause, Duration(static_cast<Duration::rep>(pause)));
}

}  // namespace howdah::backup
