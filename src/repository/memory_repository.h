// A repository in memory, for tests: the contract of repository.h and nothing durable.
#pragma once

#include <map>
#include <mutex>

#include "repository/repository.h"

namespace howdah::repository {

class MemoryRepository final : public Repository {
 public:
  Result<> Put(const std::string& name, std::string_view bytes) override;
  Result<std::string> Get(const std::string& name) override;
  Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                               std::size_t size) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  Result<std::vector<std::string>> ListSegments(const std::string& prefix) override;
  Result<> Delete(const std::string& name) override;
  Result<std::optional<system::SpaceInfo>> Space() override { return std::nullopt; }
  std::string Place() const override { return "memory"; }

  // What a fault does to an object behind everybody's back.
  void Overwrite(const std::string& name, std::string bytes);
  // The next `calls` calls succeed, all after them fail so; nullopt mends it.
  void FailAfter(int calls, std::optional<Error> error);

 private:
  Result<> Enter();  // holding mutex_

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  int calls_left_ = 0;
  std::optional<Error> error_;
};

}  // namespace howdah::repository
