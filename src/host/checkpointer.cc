#include "host/checkpointer.h"

#include "postgres/promotion.h"

namespace howdah::host {

namespace {

constexpr Duration kConnectLimit = 5s;
constexpr Duration kLimit = 30min;

}  // namespace

bool Checkpointer::IsBusy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void Checkpointer::Ask(const postgres::ConnectOptions& options, std::int64_t number) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(busy_, true)) return;
  }
  postgres::ConnectOptions own = options;
  own.interrupt = interrupt_.descriptor();
  thread_ = std::jthread([this, own, number] { Run(own, number); });
}

std::optional<std::int64_t> Checkpointer::TakeDone() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, std::nullopt);
}

void Checkpointer::Run(const postgres::ConnectOptions& options, std::int64_t number) {
  auto connection = postgres::Connection::Open(options, clock_, kConnectLimit);
  const bool done = connection && postgres::RunCheckpoint(*connection, kLimit);
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    if (done) done_ = number;
  }
  on_done_();
}

}  // namespace howdah::host
