// Finding, reading, deleting and tagging; writing values is in write.cc.
#include "secrets/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace howdah::secrets {

namespace {

constexpr int kMaximumAttempts = 16;
constexpr std::size_t kSuffixSize = 7;  // "-AbCdEf"

std::unexpected<Error> NoSuchSecret() {
  return Fail(Code::kNotFound, "Secrets Manager can't find the specified secret.");
}

// "arn:aws:secretsmanager:<region>:<account>:secret:<name>…": what follows "secret:".
std::string_view TailOfArn(std::string_view arn) {
  for (int colons = 0; colons < 6; ++colons) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    arn.remove_prefix(colon + 1);
  }
  return arn;
}

// The names under which the secret may be: whole first, then without the random ending.
std::vector<std::string> CandidateNames(std::string_view secret_id) {
  if (!secret_id.starts_with("arn:")) return {std::string(secret_id)};
  const std::string_view tail = TailOfArn(secret_id);
  std::vector<std::string> names;
  if (tail.size() > kSuffixSize && tail[tail.size() - kSuffixSize] == '-') {
    names.emplace_back(tail.substr(0, tail.size() - kSuffixSize));
  }
  if (!tail.empty()) names.emplace_back(tail);
  return names;
}

bool Matches(const Record& record, std::string_view secret_id) {
  if (record.name == secret_id || record.arn == secret_id) return true;
  return secret_id == std::string_view(record.arn).substr(0, record.arn.size() - kSuffixSize);
}

WallTime DayOf(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time);
}

}  // namespace

Secrets::Secrets(store::Store& store, const vault::Keyring& keyring, const system::Clock& clock,
                 system::Entropy& entropy, Place place)
    : store_(store),
      keyring_(keyring),
      clock_(clock),
      entropy_(entropy),
      place_(std::move(place)) {}

Result<std::optional<Secrets::Found>> Secrets::Lookup(std::string_view secret_id) {
  for (const std::string& name : CandidateNames(secret_id)) {
    const Result<store::Document> index = store_.Get(NameKey(name));
    if (!index && index.error().code() == Code::kNotFound) continue;
    if (!index) return Fail(index.error());
    TRY_ASSIGN(const json::object entry, ParseJsonObject(index->value));
    const Result<store::Document> document = store_.Get(RecordKey(JsonString(entry, "id")));
    if (!document && document.error().code() == Code::kNotFound) continue;  // purged just now
    if (!document) return Fail(document.error());
    TRY_ASSIGN(Record record, ParseRecord(document->value));
    if (!Matches(record, secret_id)) continue;
    return Found{.record = std::move(record), .revision = document->revision};
  }
  return std::nullopt;
}

Result<Secrets::Found> Secrets::LookupExisting(std::string_view secret_id) {
  TRY_ASSIGN(std::optional<Found> found, Lookup(secret_id));
  if (!found) return NoSuchSecret();
  return *std::move(found);
}

Result<Record> Secrets::Find(std::string_view secret_id) {
  TRY_ASSIGN(Found found, LookupExisting(secret_id));
  return std::move(found.record);
}

Result<Secrets::Found> Secrets::LookupActive(std::string_view secret_id) {
  TRY_ASSIGN(Found found, LookupExisting(secret_id));
  if (!found.record.deletion) return found;
  return Fail(Code::kFailedState,
              "You can't perform this operation on the secret because it was marked for deletion.");
}

Result<Record> Secrets::FindActive(std::string_view secret_id) {
  TRY_ASSIGN(Found found, LookupActive(secret_id));
  return std::move(found.record);
}

Result<std::vector<Record>> Secrets::List() {
  TRY_ASSIGN(const store::Listing listing, store_.List(kRecordsPrefix));
  std::vector<Record> records;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Record record, ParseRecord(document.value));
    records.push_back(std::move(record));
  }
  return records;
}

Result<Record> Secrets::Edit(std::string_view secret_id, bool even_deleted, const Change& change) {
  for (int attempt = 0; attempt < kMaximumAttempts; ++attempt) {
    TRY_ASSIGN(Found found, even_deleted ? LookupExisting(secret_id) : LookupActive(secret_id));
    store::Transaction transaction;
    const std::string before = ToJson(found.record);
    TRY(change(found.record, transaction));
    const std::string after = ToJson(found.record);
    if (after == before && transaction.puts.empty()) return std::move(found.record);
    const std::string key = RecordKey(found.record.id);
    transaction.compares.push_back({.key = key, .revision = found.revision});
    transaction.puts.push_back({.key = key, .value = after, .lease = ""});
    const Result<store::Revision> committed = store_.Commit(transaction);
    if (committed) return std::move(found.record);
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  }
  return Fail(Code::kConflict, "the secret is being changed by too many others");
}

Result<Content> Secrets::Open(const Record& record, const std::string& version_id) {
  TRY_ASSIGN(const store::Document document, store_.Get(ValueKey(record.id, version_id)));
  TRY_ASSIGN(const json::object object, ParseJsonObject(document.value));
  const bool binary = record.versions.at(version_id).binary;
  const std::string place = fmt::format("secret {} version {}", record.id, version_id);
  TRY_ASSIGN(std::string bytes, keyring_.Open(JsonString(object, "sealed"), place));
  return Content{.bytes = std::move(bytes), .binary = binary};
}

std::string Secrets::Seal(const Record& record, const std::string& version_id,
                          const Content& content) {
  const std::string place = fmt::format("secret {} version {}", record.id, version_id);
  return json::serialize(json::object{{"sealed", keyring_.Seal(content.bytes, place)}});
}

Result<Value> Secrets::GetValue(std::string_view secret_id, std::string_view version_id,
                                std::string_view stage) {
  TRY_ASSIGN(Found found, LookupActive(secret_id));
  const std::string wanted(stage.empty() ? kCurrent : stage);
  const std::optional<std::string> holder = HolderOf(found.record, wanted);
  const std::string chosen = version_id.empty() ? holder.value_or("") : std::string(version_id);
  if (!found.record.versions.contains(chosen)) {
    return Fail(Code::kNotFound,
                "Secrets Manager can't find the specified secret value for " +
                    (version_id.empty() ? "staging label: " + wanted : "VersionId: " + chosen));
  }
  if (!version_id.empty() && !stage.empty() && holder != chosen) {
    return Fail(Code::kFailedState,
                "You provided a VersionStage that is not associated to the provided VersionId.");
  }
  TRY_ASSIGN(Content content, Open(found.record, chosen));
  NoteAccess(found);
  return Value{
      .record = std::move(found.record), .version_id = chosen, .content = std::move(content)};
}

// At most once a day a secret, and never a reason to fail: it is for people.
void Secrets::NoteAccess(const Found& found) {
  const WallTime today = DayOf(clock_.Now());
  if (found.record.accessed == today) return;
  Record record = found.record;
  record.accessed = today;
  const std::string key = RecordKey(record.id);
  (void)store_.Commit({.compares = {{.key = key, .revision = found.revision}},
                       .puts = {{.key = key, .value = ToJson(record), .lease = ""}},
                       .deletes = {}});
}

Result<Record> Secrets::Delete(std::string_view secret_id, int days) {
  if (days < 7 || days > 30) {
    return Fail(Code::kInvalid,
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
  }
  return Edit(secret_id, true, [&](Record& record, store::Transaction&) -> Result<> {
    if (record.deletion) {
      return Fail(Code::kFailedState,
                  "You can't perform this operation on the secret because it was already scheduled "
                  "for deletion.");
    }
    record.deletion = clock_.Now() + std::chrono::days(days);
    return {};
  });
}

Result<> Secrets::Remove(const Found& found) {
  const std::string key = RecordKey(found.record.id);
  store::Transaction transaction;
  transaction.compares.push_back({.key = key, .revision = found.revision});
  transaction.deletes = {key, NameKey(found.record.name)};
  for (const auto& [id, version] : found.record.versions) {
    transaction.deletes.push_back(ValueKey(found.record.id, id));
  }
  TRY(store_.Commit(transaction));
  return {};
}

Result<std::optional<Record>> Secrets::ForceDelete(std::string_view secret_id) {
  for (int attempt = 0; attempt < kMaximumAttempts; ++attempt) {
    TRY_ASSIGN(std::optional<Found> found, Lookup(secret_id));
    if (!found) return std::nullopt;
    const Result<> removed = Remove(*found);
    if (removed) return std::move(found->record);
    if (removed.error().code() != Code::kConflict) return Fail(removed.error());
  }
  return Fail(Code::kConflict, "the secret is being changed by too many others");
}

Result<Record> Secrets::Restore(std::string_view secret_id) {
  return Edit(secret_id, true, [](Record& record, store::Transaction&) -> Result<> {
    record.deletion.reset();
    return {};
  });
}

Result<Record> Secrets::Tag(std::string_view secret_id,
                            const std::map<std::string, std::string>& tags) {
  return Edit(secret_id, false, [&](Record& record, store::Transaction&) -> Result<> {
    for (const auto& [key, value] : tags) record.tags[key] = value;
    if (record.tags.size() > kMaximumTags) {
      return Fail(Code::kInvalid, "A secret can have at most 50 tags.");
    }
    record.changed = clock_.Now();
    return {};
  });
}

Result<Record> Secrets::Untag(std::string_view secret_id, const std::vector<std::string>& keys) {
  return Edit(secret_id, false, [&](Record& record, store::Transaction&) -> Result<> {
    for (const std::string& key : keys) record.tags.erase(key);
    record.changed = clock_.Now();
    return {};
  });
}

Result<Record> Secrets::Move(std::string_view secret_id, const StageMove& move) {
  return Edit(secret_id, false, [&](Record& record, store::Transaction&) -> Result<> {
    TRY(MoveStage(record, move));
    record.changed = clock_.Now();
    return {};
  });
}

Result<int> Secrets::PurgeDue(WallTime now) {
  TRY_ASSIGN(const store::Listing listing, store_.List(kRecordsPrefix));
  int purged = 0;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Record record, ParseRecord(document.value));
    if (!record.deletion || *record.deletion > now) continue;
    const Result<> removed = Remove({.record = std::move(record), .revision = document.revision});
    if (removed) ++purged;
    // Somebody restored or removed it meanwhile: the next round looks again.
    if (!removed && removed.error().code() != Code::kConflict) return Fail(removed.error());
  }
  return purged;
}

}  // namespace howdah::secrets
