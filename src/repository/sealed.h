// What every object of a repository looks like inside: a head, then frames, each compressed (zstd)
// and encrypted (AES-256-GCM). A frame's key is made of the data key and a random salt in the head,
// so that no nonce ever repeats however often an object is written anew; its authenticated data are
// the object's name, the head, the frame's number and whether it is the last. So nothing can be
// changed, moved to another name, swapped or cut off without being seen. The format is described in
// docs/formats/repository.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "repository/repository.h"
#include "system/entropy.h"

namespace howdah::repository {

// 32 secret bytes and the name by which objects refer to them (16 random bytes in hexadecimal).
// Where it is kept, sealed under the master key, is keys.h.
struct DataKey {
  std::string id;
  std::string key;  // wiped when it goes
  ~DataKey();
};

// Where a frame stands in its object.
struct FrameRef {
  std::uint32_t number = 0;
  std::uint64_t offset = 0;
  std::uint32_t stored_bytes = 0;  // with what surrounds it
  std::uint32_t raw_bytes = 0;
  bool operator==(const FrameRef&) const = default;
};

inline constexpr std::size_t kHeadBytes = 64;
inline constexpr std::size_t kMostFrameBytes = 4 << 20;  // raw

// Builds one object in memory. One thread.
class ObjectWriter {
 public:
  ObjectWriter(std::string name, const DataKey& key, system::Entropy& entropy, int level = 1);
  ObjectWriter(ObjectWriter&&) noexcept;
  ~ObjectWriter();

  // A frame of its own for these bytes: 1 to kMostFrameBytes.
  FrameRef Add(std::string_view raw);
  std::uint64_t size_bytes() const;
  const std::string& name() const;
  // The whole object, with its last frame, which is empty. Once.
  std::string Finish();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Opens frames of one object. Immutable after Open: safe from any thread. kCorrupt names the object
// and what is wrong with it.
class ObjectReader {
 public:
  // `head`: the first kHeadBytes of the object.
  static Result<ObjectReader> Open(std::string name, std::string_view head, const DataKey& key);
  ObjectReader(ObjectReader&&) noexcept;
  ~ObjectReader();

  // `stored`: the frame's bytes as they stand in the object.
  Result<std::string> Frame(const FrameRef& frame, std::string_view stored) const;

 private:
  struct Parts;
  explicit ObjectReader(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The id of the data key that an object was sealed with; kCorrupt where the head is none.
Result<std::string> KeyIdOf(std::string_view name, std::string_view head);

// A whole object: all frames, one after the other.
std::string SealObject(const std::string& name, std::string_view raw, const DataKey& key,
                       system::Entropy& entropy, int level = 1);
Result<std::string> OpenObject(const std::string& name, std::string_view object,
                               const DataKey& key);

}  // namespace howdah::repository
