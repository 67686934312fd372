// See tar.h. A state machine over 512-byte blocks: header, data, padding. POSIX.1-1988 ustar, pax
// 'x' and 'g', GNU 'L' and 'K'.
#include "postgres/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace howdah::postgres {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxExtension = 64 * 1024;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 40;
constexpr std::size_t kMaxPath = 4096;

std::unexpected<Error> Bad(std::string_view why) {
  return Fail(Code::kCorrupt, fmt::format("tar stream: {}", why));
}

std::string Text(std::string_view header, std::size_t offset, std::size_t size) {
  const std::string_view field = header.substr(offset, size);
  return std::string(field.substr(0, field.find('\0')));
}

// Octal text, or base 256 where the first bit is set.
Result<std::uint64_t> Number(std::string_view header, std::size_t offset, std::size_t size) {
  const std::string_view field = header.substr(offset, size);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte = static_cast<unsigned char>(field[i]);
      if (value >> 56 != 0) return Bad("a number is too large");
      value = value << 8 | (i == 0 ? byte & 0x7fU : byte);
    }
    return value;
  }
  for (const char c : field) {
    if (c == ' ' && value == 0) continue;
    if (c == ' ' || c == '\0') break;
    if (c < '0' || c > '7') return Bad("not an octal number");
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool HasValidChecksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  }
  const auto wanted = Number(header, 148, 8);
  return wanted && *wanted == sum;
}

// "./base/1/" to "base/1"; refuses what could leave the directory.
Result<std::string> CleanPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath || path.front() == '/' ||
      path.find('\0') != std::string_view::npos) {
    return Bad("a path is empty, absolute or too long");
  }
  std::string clean;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == "..") return Bad("a path leaves the directory");
    if (part.empty() || part == ".") continue;
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

Result<TarType> TypeOf(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return TarType::kFile;
    case '5':
      return TarType::kDirectory;
    case '2':
      return TarType::kSymlink;
    default:
      return Bad(fmt::format("unsupported kind of entry {:#x}", static_cast<int>(type)));
  }
}

bool IsExtension(char type) {
  return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

}  // namespace

Result<> TarReader::Feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (remaining_ > 0) {
      const auto part = bytes.substr(0, std::min<std::uint64_t>(remaining_, bytes.size()));
      if (extension_type_ != 0) {
        extension_ += part;
      } else {
        TRY(sink_.OnData(part));
      }
      remaining_ -= part.size();
      bytes.remove_prefix(part.size());
      if (remaining_ == 0) TRY(EndEntry());
    } else if (padding_ > 0) {
      const auto skip = std::min<std::uint64_t>(padding_, bytes.size());
      padding_ -= skip;
      bytes.remove_prefix(skip);
    } else {
      const auto part = bytes.substr(0, kBlock - header_.size());
      header_ += part;
      bytes.remove_prefix(part.size());
      if (header_.size() == kBlock) TRY(OnHeader());
    }
  }
  return {};
}

Result<> TarReader::Finish() {
  if (remaining_ > 0 || !header_.empty() || extension_type_ != 0 || !long_name_.empty()) {
    return Bad("it ends in the middle of an entry");
  }
  return {};
}

Result<> TarReader::OnHeader() {
  const std::string header = std::exchange(header_, {});
  if (std::ranges::all_of(header, [](char c) { return c == '\0'; })) {
    ended_ = true;
    return {};
  }
  if (!HasValidChecksum(header)) return Bad("a header has a wrong checksum");
  TRY_ASSIGN(std::uint64_t size, Number(header, 124, 12));
  const char type = header[156];
  if (IsExtension(type)) {
    if (size == 0 || size > kMaxExtension) return Bad("an extended header has a wrong size");
    extension_type_ = type;
    extension_.clear();
  } else {
    TarEntry entry;
    if (std::exchange(has_pax_size_, false)) size = pax_size_;
    TRY_ASSIGN(entry.type, TypeOf(type));
    if (entry.type != TarType::kFile) size = 0;
    if (size > kMaxFile) return Bad("a file is too large");
    std::string path = std::exchange(long_name_, {});
    if (path.empty()) {
      const std::string prefix = header.substr(257, 5) == "ustar" ? Text(header, 345, 155) : "";
      path = prefix.empty() ? Text(header, 0, 100) : prefix + "/" + Text(header, 0, 100);
    }
    TRY_ASSIGN(entry.path, CleanPath(path));
    TRY_ASSIGN(const std::uint64_t mode, Number(header, 100, 8));
    entry.mode = static_cast<unsigned>(mode & 07777U);
    entry.size_bytes = size;
    entry.link_target = std::exchange(long_link_, {});
    if (entry.link_target.empty()) entry.link_target = Text(header, 157, 100);
    TRY(sink_.OnEntry(entry));
  }
  remaining_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  return size == 0 ? EndEntry() : Result<>();
}

Result<> TarReader::EndEntry() {
  if (extension_type_ == 0) return sink_.OnEntryEnd();
  const std::string data = std::exchange(extension_, {});
  return OnExtension(data, std::exchange(extension_type_, '\0'));
}

// pax: records "LENGTH KEY=VALUE\n", LENGTH counting the whole record.
Result<> TarReader::OnExtension(std::string_view data, char type) {
  if (type == 'g') return {};
  if (type == 'L' || type == 'K') {
    (type == 'L' ? long_name_ : long_link_) = std::string(data.substr(0, data.find('\0')));
    return {};
  }
  while (!data.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), length);
    const auto digits = static_cast<std::size_t>(end - data.data());
    if (error != std::errc() || length > data.size() || length < digits + 4 ||
        data[digits] != ' ' || data[length - 1] != '\n') {
      return Bad("a pax record is malformed");
    }
    const std::string_view record = data.substr(digits + 1, length - digits - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) return Bad("a pax record has no value");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path") long_name_ = std::string(value);
    if (key == "linkpath") long_link_ = std::string(value);
    if (key == "size") {
      const auto [stop, bad] =
          std::from_chars(value.data(), value.data() + value.size(), pax_size_);
      if (bad != std::errc() || stop != value.data() + value.size()) return Bad("a pax size");
      has_pax_size_ = true;
    }
    data.remove_prefix(length);
  }
  return {};
}

}  // namespace howdah::postgres
