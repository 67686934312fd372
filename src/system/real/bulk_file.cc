// Whether a range was cached is asked with preadv2(RWF_NOWAIT), which reads only what needs no
// wait: what comes so was there before us. Unless we have just read the range before it from the
// disk: then the beginning of this one was read ahead for us.
#include "system/real/bulk_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace howdah::system {

namespace {

// ioprio_set(2) has no wrapper: "this thread", class best effort, the last of its eight levels.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioBestEffortLast = (2 << 13) | 7;
constexpr int kNice = 10;

}  // namespace

Result<BulkReader> BulkReader::Open(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return Fail(ErrnoError("open " + path, errno));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return Fail(ErrnoError("stat " + path, errno));
  if (!S_ISREG(info.st_mode)) return Fail(Code::kUnsupported, path + " is no regular file");
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return BulkReader(std::move(file), path, static_cast<std::uint64_t>(info.st_size));
}

std::size_t BulkReader::ReadCached(std::uint64_t offset, std::span<char> into) {
  if (!tells_cached_) return 0;
  const iovec vector{.iov_base = into.data(), .iov_len = into.size()};
  const ssize_t got = ::preadv2(file_.get(), &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (got < 0 && errno == EOPNOTSUPP) tells_cached_ = false;
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

Result<std::size_t> BulkReader::ReadAt(std::uint64_t offset, std::span<char> into) {
  std::size_t done = ReadCached(offset, into);
  if (done == into.size()) {
    missed_ = false;
    return done;
  }
  const std::size_t cached = done;
  while (done < into.size()) {
    const ssize_t got = ::pread(file_.get(), into.data() + done, into.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrnoError("read " + path_, errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  if (done == cached || !tells_cached_) return done;
  const std::size_t keep = missed_ ? 0 : cached;
  (void)::posix_fadvise(file_.get(), static_cast<off_t>(offset + keep),
                        static_cast<off_t>(done - keep), POSIX_FADV_DONTNEED);
  missed_ = true;
  return done;
}

Result<BulkWriter> BulkWriter::Open(const std::string& path, unsigned mode) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) return Fail(ErrnoError("open " + path, errno));
  return BulkWriter(std::move(file), path);
}

Result<> BulkWriter::WriteAt(std::uint64_t offset, std::string_view bytes) {
  const std::uint64_t begin = offset;
  const std::size_t size = bytes.size();
  while (!bytes.empty()) {
    const ssize_t wrote =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Fail(ErrnoError("write " + path_, errno));
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  // Only a hint: what it leaves undone, the sync at the end does.
  (void)::sync_file_range(file_.get(), static_cast<off_t>(begin), static_cast<off_t>(size),
                          SYNC_FILE_RANGE_WRITE);
  return {};
}

Result<> BulkWriter::Resize(std::uint64_t size_bytes) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size_bytes)) == 0) return {};
  return Fail(ErrnoError("truncate " + path_, errno));
}

void YieldToOthers() {
  (void)::setpriority(PRIO_PROCESS, 0, kNice);  // on Linux: of this thread alone
  (void)::syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioBestEffortLast);
}

}  // namespace howdah::system
