#include "backup/pack_store.h"

#include "backup/names.h"

namespace howdah::backup {

namespace {

// One is written while another is synced; of those that wait, each takes its size in memory.
constexpr std::size_t kThreads = 2;
constexpr std::size_t kMostQueued = 1;

}  // namespace

PackStore::PackStore(const Needs& needs, const repository::DataKey& key, Place place, Known known)
    : needs_(needs), key_(key), place_(std::move(place)), all_(std::move(known)) {
  for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Serve(); });
}

PackStore::~PackStore() {
  const std::lock_guard lock(mutex_);
  queue_.clear();
  ended_ = true;
  changed_.notify_all();
}

std::string PackStore::Name(ObjectKind kind, std::uint32_t number) const {
  return NameOf(place_.instance, {.backup = place_.backup, .kind = kind, .number = number});
}

OpenPack PackStore::Open() {
  const std::lock_guard lock(mutex_);
  const std::uint32_t number = place_.first_number + opened_++;
  const auto index = static_cast<std::uint32_t>(all_.packs.size());
  all_.packs.push_back({.backup = place_.backup, .number = number});
  all_.frames.emplace_back();
  return {.index = index,
          .number = number,
          .object = repository::ObjectWriter(Name(ObjectKind::kPack, number), key_, needs_.entropy),
          .part = {}};
}

Result<> PackStore::Store(OpenPack pack) {
  Sealed sealed{.index = pack.index,
                .number = pack.number,
                .bytes = pack.object.Finish(),
                .part = std::move(pack.part)};
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.size() < kMostQueued || error_; });
  if (error_) return Fail(*error_);
  queue_.push_back(std::move(sealed));
  changed_.notify_all();
  return {};
}

Result<> PackStore::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (queue_.empty() && busy_ == 0) || error_; });
  return error_ ? Fail(*error_) : Result<>();
}

void PackStore::Serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !queue_.empty() || ended_; });
    if (queue_.empty()) return;
    Sealed pack = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    changed_.notify_all();
    lock.unlock();
    const Result<> put = Put(pack);
    lock.lock();
    --busy_;
    if (!put && !error_) error_ = put.error();
    changed_.notify_all();
  }
}

// The pack first: a part without its pack would promise what is not there.
Result<> PackStore::Put(Sealed& pack) {
  const std::string name = Name(ObjectKind::kPack, pack.number);
  if (auto put = needs_.repository.Put(name, pack.bytes); !put) {
    return Fail(put.error().During("storing " + name));
  }
  TRY(WriteObject(needs_, key_, Name(ObjectKind::kPart, pack.number), FormatPart(pack.part)));
  const std::lock_guard lock(mutex_);
  all_.packs[pack.index].size_bytes = pack.bytes.size();
  all_.frames[pack.index] = std::move(pack.part.frames);
  stored_bytes_ += pack.bytes.size();
  return {};
}

}  // namespace howdah::backup
