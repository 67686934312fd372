// See proc_files.h.
#include "system/real/proc_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "system/real/file_descriptor.h"

namespace howdah::system {

namespace {

std::string ProcPath(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

Result<std::string> ReadSmall(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return Fail(ErrnoError("open " + path, errno));
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrnoError("read " + path, errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> SplitFields(std::string_view text) {
  std::vector<std::string_view> fields;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \n");
    if (end != 0) fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return fields;
}

}  // namespace

Result<ProcStat> ParseProcStat(std::string_view text) {
  const std::size_t close = text.rfind(')');
  if (close == std::string_view::npos) return Fail(Code::kCorrupt, "a stat line without a command");
  // fields[0] is field 3 of the man page (state); 4 is the parent, 6 the session, 22 the start.
  const std::vector<std::string_view> fields = SplitFields(text.substr(close + 1));
  ProcStat stat;
  if (fields.size() < 20 || fields[0].size() != 1 || !ParseNumber(fields[1], stat.parent) ||
      !ParseNumber(fields[3], stat.session) || !ParseNumber(fields[19], stat.start_ticks)) {
    return Fail(Code::kCorrupt, "a stat line that is not understood");
  }
  stat.state = fields[0].front();
  return stat;
}

Result<ProcStat> ReadProcStat(pid_t pid) {
  TRY_ASSIGN(const std::string text, ReadSmall(ProcPath(pid, "stat")));
  return ParseProcStat(text);
}

Result<ProcessInfo> ReadProcessInfo(pid_t pid) {
  TRY_ASSIGN(const ProcStat stat, ReadProcStat(pid));
  ProcessInfo info{.identity = {.pid = pid, .start_ticks = stat.start_ticks},
                   .parent = stat.parent,
                   .session = stat.session,
                   .state = stat.state,
                   .command = ReadSmall(ProcPath(pid, "cmdline")).value_or(""),
                   .working_directory = ""};
  while (!info.command.empty() && info.command.back() == '\0') info.command.pop_back();
  for (char& character : info.command) {
    if (character == '\0') character = ' ';
  }
  std::error_code error;
  info.working_directory = std::filesystem::read_symlink(ProcPath(pid, "cwd"), error).string();
  return info;
}

std::vector<pid_t> OwnPids() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc", error), end; !error && it != end;
       it.increment(error)) {
    pid_t pid = 0;
    struct stat info{};
    if (!ParseNumber(it->path().filename().string(), pid)) continue;
    if (::stat(it->path().c_str(), &info) == 0 && info.st_uid == ::geteuid()) pids.push_back(pid);
  }
  return pids;
}

}  // namespace howdah::system
