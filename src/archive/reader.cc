#include "archive/reader.h"

#include <fmt/format.h>

#include <optional>

namespace howdah::archive {
namespace {

std::string DirectoryOf(const std::string& name) {
  return name.substr(0, name.rfind('/') + 1);
}

// What follows "instances/<id>/wal/" in an object's name.
std::optional<Range> RangeOf(std::string_view name) {
  constexpr std::string_view kWal = "/wal/";
  const std::size_t at = name.find(kWal);
  return at == std::string_view::npos ? std::nullopt : ParseRange(name.substr(at + kWal.size()));
}

}  // namespace

Result<std::string> Reader::Read(const std::string& object) {
  TRY_ASSIGN(const std::string bytes, repository_.Get(object));
  TRY_ASSIGN(const std::string key_id, repository::KeyIdOf(object, std::string_view(bytes).substr(
                                                                       0, repository::kHeadBytes)));
  TRY_ASSIGN(const repository::DataKey key, keys_.Find(key_id));
  return repository::OpenObject(object, bytes, key);
}

Result<std::string> Reader::ReadFile(const WalPlan& plan, const PlannedFile& file) {
  if (!file.history.empty()) return Read(file.history);
  std::string segment;
  segment.reserve(plan.segment_bytes);
  for (const PlannedObject& part : file.objects) {
    TRY_ASSIGN(const std::string bytes, ReadPart(part));
    segment += bytes;
  }
  segment.resize(plan.segment_bytes, '\0');
  return segment;
}

Result<std::string> Reader::ReadPart(const PlannedObject& part) {
  auto bytes = Read(part.name);
  if (!bytes && bytes.error().code() == Code::kNotFound) {
    TRY_ASSIGN(const PlannedObject other, FindSuccessor(part, bytes.error()));
    if (other.name != part.name) return ReadPart(other);
  }
  TRY(bytes);
  if (bytes->size() != part.end - part.start) {
    return Fail(Code::kCorrupt, fmt::format("{} holds {} bytes of WAL where {} were expected",
                                            part.name, bytes->size(), part.end - part.start));
  }
  return bytes->substr(part.from - part.start, part.to - part.from);
}

Result<PlannedObject> Reader::FindSuccessor(const PlannedObject& part, const Error& missing) {
  if (!RangeOf(part.name)) return Fail(missing);
  TRY_ASSIGN(const auto objects, repository_.List(DirectoryOf(part.name)));
  for (const repository::ObjectInfo& object : objects) {
    const auto range = RangeOf(object.name);
    if (!range || range->start.value() > part.from || range->end.value() < part.to) continue;
    PlannedObject other = part;
    other.name = object.name;
    other.start = range->start.value();
    other.end = range->end.value();
    return other;
  }
  return Fail(missing);
}

Coverage Reader::Contents::NewestCoverage() const {
  return Coverage(listing.ranges, NewestPath(listing.ranges, histories));
}

Result<Reader::Contents> Reader::ReadContents(const InstanceId& instance) {
  TRY_ASSIGN(const auto objects, repository_.List(WalPrefix(instance)));
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (const repository::ObjectInfo& object : objects) names.push_back(object.name);
  Contents contents;
  contents.listing = ParseListing(instance, names);
  for (const HistoryRef& ref : contents.listing.histories) {
    const std::string name = ObjectName(instance, ref);
    TRY_ASSIGN(const std::string text, Read(name));
    auto ancestors = postgres::ParseTimelineHistory(text);
    if (!ancestors) return Fail(ancestors.error().During(name));
    contents.histories.push_back({.ref = ref, .ancestors = *std::move(ancestors)});
  }
  return contents;
}

}  // namespace howdah::archive
