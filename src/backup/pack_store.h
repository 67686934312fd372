// The packs of a backup that is being taken: allots their numbers and puts finished ones into the
// repository, on threads of its own, so that who reads and compresses does not wait for disks. A
// bounded queue: who is too fast waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "backup/file_table.h"
#include "backup/manifest.h"
#include "backup/names.h"
#include "backup/objects.h"

namespace howdah::backup {

// One that is being filled; its owner is one thread.
struct OpenPack {
  std::uint32_t index = 0;  // in the file table
  std::uint32_t number = 0;
  repository::ObjectWriter object;
  Part part;  // what it holds so far
};

class PackStore {
 public:
  struct Place {
    InstanceId instance;
    std::string backup;
    std::uint32_t first_number = 0;
  };
  // What there is already: packs of earlier backups, to which new ones are added.
  struct Known {
    std::vector<PackUse> packs;
    std::vector<std::vector<repository::FrameRef>> frames;
  };
  PackStore(const Needs& needs, const repository::DataKey& key, Place place, Known known);
  // Gives up what is queued.
  ~PackStore();

  OpenPack Open();
  // The error of any that could not be stored.
  Result<> Store(OpenPack pack);
  // Waits until all are durable.
  Result<> Finish();
  // Known ones and new ones; after Finish().
  const Known& all() const { return all_; }
  std::uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  struct Sealed {
    std::uint32_t index = 0;
    std::uint32_t number = 0;
    std::string bytes;
    Part part;
  };
  void Serve();
  Result<> Put(Sealed& pack);
  std::string Name(ObjectKind kind, std::uint32_t number) const;

  const Needs& needs_;
  const repository::DataKey& key_;
  const Place place_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Known all_;
  std::uint64_t stored_bytes_ = 0;
  std::uint32_t opened_ = 0;
  std::deque<Sealed> queue_;
  std::size_t busy_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;
  std::vector<std::jthread> threads_;
};

}  // namespace howdah::backup
