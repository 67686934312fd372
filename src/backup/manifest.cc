#include "backup/manifest.h"

#include <fmt/format.h>

#include <charconv>

#include "base/document.h"
#include "postgres/wal_end.h"

namespace howdah::backup {

namespace {

constexpr int kVersion = 1;

const DocumentCodec<PackUse>& PackCodec() {
  static const auto codec = DocumentCodec<PackUse>("pack")
                                .With("backup", &PackUse::backup)
                                .With("number", &PackUse::number)
                                .With("size", &PackUse::size_bytes)
                                .With("used", &PackUse::used_bytes);
  return codec;
}

const DocumentCodec<BadPage>& BadPageCodec() {
  static const auto codec = DocumentCodec<BadPage>("bad page")
                                .With("path", &BadPage::path)
                                .With("block", &BadPage::block);
  return codec;
}

const DocumentCodec<Manifest>& ManifestCodec() {
  static const auto codec = DocumentCodec<Manifest>("manifest")
                                .With("version", &Manifest::version)
                                .With("id", &Manifest::id)
                                .With("instance", &Manifest::instance)
                                .With("base", &Manifest::base)
                                .With("description", &Manifest::description)
                                .With("server_version", &Manifest::server_version)
                                .With("system_identifier", &Manifest::system_identifier)
                                .With("from_standby", &Manifest::from_standby)
                                .With("checksums", &Manifest::checksums)
                                .With("start_lsn", &Manifest::start_lsn)
                                .With("stop_lsn", &Manifest::stop_lsn)
                                .With("timeline", &Manifest::timeline)
                                .With("started", &Manifest::started)
                                .With("finished", &Manifest::finished)
                                .With("backup_label", &Manifest::backup_label)
                                .With("history", &Manifest::history)
                                .With("wal_segment_bytes", &Manifest::wal_segment_bytes)
                                .With("wal", &Manifest::wal)
                                .With("files_bytes", &Manifest::files_bytes)
                                .With("pages_bytes", &Manifest::pages_bytes)
                                .With("size_bytes", &Manifest::size_bytes)
                                .With("file_count", &Manifest::file_count)
                                .With("stored_bytes", &Manifest::stored_bytes)
                                .With("packs", &Manifest::packs, PackCodec())
                                .With("bad_pages", &Manifest::bad_pages, BadPageCodec())
                                .With("bad_page_count", &Manifest::bad_page_count);
  return codec;
}

const DocumentCodec<Begun>& BegunCodec() {
  static const auto codec =
      DocumentCodec<Begun>("begun").With("started", &Begun::started).With("base", &Begun::base);
  return codec;
}

Result<> CheckManifest(const Manifest& manifest) {
  const auto wrong = [](std::string_view what) {
    return Fail(Code::kCorrupt, fmt::format("manifest: {}", what));
  };
  if (manifest.id.empty() || manifest.instance.empty()) return wrong("of no backup");
  constexpr auto segment = static_cast<std::int64_t>(postgres::kWalSegment);
  if (manifest.wal_segment_bytes != segment) return wrong("WAL segments of an unknown size");
  if (manifest.start_lsn <= 0 || manifest.stop_lsn <= manifest.start_lsn) {
    return wrong("it ends before it starts");
  }
  if (manifest.timeline <= 0 || manifest.timeline > UINT32_MAX) return wrong("no timeline");
  const std::int64_t first = manifest.start_lsn / segment;
  const std::int64_t last = (manifest.stop_lsn - 1) / segment;
  if (manifest.wal.size() != static_cast<std::uint64_t>(last - first + 1)) {
    return wrong("not all WAL from its start to its end");
  }
  for (const PackUse& pack : manifest.packs) {
    if (pack.number < 0 || pack.number > UINT32_MAX) return wrong("a pack without a number");
  }
  return {};
}

}  // namespace

int Manifest::major() const {
  int number = 0;
  std::from_chars(server_version.data(), server_version.data() + server_version.size(), number);
  return number;
}

std::string FormatManifest(const Manifest& manifest) {
  return ManifestCodec().Format(manifest);
}

Result<Manifest> ParseManifest(std::string_view text) {
  TRY_ASSIGN(const Manifest manifest, ManifestCodec().Parse(text));
  if (manifest.version != kVersion) {
    return Fail(Code::kUnsupported, fmt::format("manifest: version {} of its format, and this "
                                                "program knows {}",
                                                manifest.version, kVersion));
  }
  TRY(CheckManifest(manifest));
  return manifest;
}

std::string FormatBegun(const Begun& begun) {
  return BegunCodec().Format(begun);
}

Result<Begun> ParseBegun(std::string_view text) {
  return BegunCodec().Parse(text);
}

}  // namespace howdah::backup
