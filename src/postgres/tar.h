// Reads a tar stream (ustar, pax and GNU long names) piece by piece, as BASE_BACKUP sends it. Pure:
// what is found goes to a sink. Strict: a path that is absolute or has "..", an unknown kind of
// entry or a wrong header checksum is kCorrupt. Faces a socket: see tests/fuzz/fuzz_tar.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::postgres {

enum class TarType { kFile, kDirectory, kSymlink };

struct TarEntry {
  std::string path;  // relative, without "." and ".." parts and without a trailing slash
  TarType type = TarType::kFile;
  unsigned mode = 0;
  std::uint64_t size_bytes = 0;
  std::string link_target;
};

class TarSink {
 public:
  virtual ~TarSink() = default;
  virtual Result<> OnEntry(const TarEntry& entry) = 0;
  virtual Result<> OnData(std::string_view bytes) = 0;  // for files, 0 or more times
  virtual Result<> OnEntryEnd() = 0;
};

class TarReader {
 public:
  explicit TarReader(TarSink& sink) : sink_(sink) {}
  Result<> Feed(std::string_view bytes);
  // At the end of the stream: kCorrupt in the middle of an entry. The closing zero blocks may be
  // absent (PostgreSQL leaves them out).
  Result<> Finish();

 private:
  Result<> OnHeader();
  Result<> OnExtension(std::string_view data, char type);
  Result<> EndEntry();

  TarSink& sink_;
  std::string header_;       // the header block as far as it has come
  std::string extension_;    // contents of a pax or long-name entry
  char extension_type_ = 0;  // 0: an ordinary entry
  std::string long_name_, long_link_;
  std::uint64_t pax_size_ = 0;
  bool has_pax_size_ = false;
  std::uint64_t remaining_ = 0;  // bytes of the entry still to come
  std::uint64_t padding_ = 0;
  bool in_entry_ = false;
  bool ended_ = false;
};

}  // namespace howdah::postgres
