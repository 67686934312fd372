#include "fleet/changes.h"

#include "fleet/keys.h"

namespace howdah::fleet {

// The watch begins before the caller reads, so nothing falls between the two.
Result<News> Changes::StartOver() {
  watch_.reset();
  // The listing is asked for its revision only, so it is a short one.
  TRY_ASSIGN(const store::Listing listing, store_.List(kSubnetGroupsPrefix));
  TRY_ASSIGN(watch_, store_.WatchFrom("/", listing.revision + 1));
  next_full_look_ = clock_.Monotonic() + full_look_;
  return News{.everything = true, .keys = {}};
}

Result<News> Changes::Take() {
  if (!watch_) return StartOver();
  News news;
  while (true) {
    const auto changes = watch_->Next(Duration(0));
    if (!changes) return StartOver();
    if (changes->empty()) break;
    for (const store::Change& change : *changes) news.keys.insert(change.key);
  }
  if (clock_.Monotonic() >= next_full_look_) {
    next_full_look_ = clock_.Monotonic() + full_look_;
    news.everything = true;
  }
  return news;
}

}  // namespace howdah::fleet
