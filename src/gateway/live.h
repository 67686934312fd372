// Routes in force with what the gateway made of them; immutable but for the counters, and shared by
// all threads.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/routes.h"
#include "gateway/tls.h"

namespace howdah::gateway {

struct Counters {
  std::atomic<std::int64_t> open = 0, accepted = 0, refused = 0, held = 0, handed_over = 0;
};

struct LiveRoute {
  Route route;
  TlsContext tls;                      // null: the client's SSLRequest is answered with 'N'
  std::shared_ptr<Counters> counters;  // the instance's, for the life of the gateway
};
using LiveTable = std::map<InstanceId, std::shared_ptr<const LiveRoute>>;

// One of the places for those who wait until they can be served, for as long as it lives.
class HeldPlace {
 public:
  // Nothing when all are taken.
  static std::optional<HeldPlace> Take(std::shared_ptr<Counters> counters, std::int64_t places) {
    HeldPlace place(std::move(counters));
    if (place.counters_->held > places) return std::nullopt;
    return place;
  }
  HeldPlace(HeldPlace&& other) noexcept = default;
  HeldPlace& operator=(HeldPlace&& other) noexcept {
    std::swap(counters_, other.counters_);
    return *this;
  }
  ~HeldPlace() {
    if (counters_) --counters_->held;
  }

 private:
  explicit HeldPlace(std::shared_ptr<Counters> counters) : counters_(std::move(counters)) {
    ++counters_->held;
  }
  std::shared_ptr<Counters> counters_;
};

// Counts one open connection for as long as it lives.
class OpenConnection {
 public:
  explicit OpenConnection(std::shared_ptr<Counters> counters) : counters_(std::move(counters)) {
    ++counters_->open;
  }
  OpenConnection(OpenConnection&& other) noexcept = default;
  OpenConnection& operator=(OpenConnection&&) = delete;
  ~OpenConnection() {
    if (counters_) --counters_->open;
  }

 private:
  std::shared_ptr<Counters> counters_;
};

}  // namespace howdah::gateway
