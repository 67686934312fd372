// Writing values: create, put, update. A version, once written, never changes; its id is the token
// of the call that wrote it, which is what makes a repeated call harmless.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "secrets/secrets.h"
#include "vault/crypto.h"

namespace howdah::secrets {

namespace {

constexpr std::string_view kAlphanumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kMaximumName = 512;
constexpr std::size_t kMaximumDescription = 2048;

Result<> CheckContent(const Content& content) {
  if (content.bytes.empty()) return Fail(Code::kInvalid, "The secret value can't be empty.");
  if (content.bytes.size() > kMaximumValueSize) {
    return Fail(Code::kInvalid, "The secret value can have at most 65536 bytes.");
  }
  return {};
}

Result<> CheckDescription(const std::string& description) {
  if (description.size() <= kMaximumDescription) return {};
  return Fail(Code::kInvalid, "The description can have at most 2048 characters.");
}

bool Same(const Content& one, const Content& other) {
  return one.binary == other.binary && vault::EqualSecrets(one.bytes, other.bytes);
}

}  // namespace

Result<> CheckName(const std::string& name) {
  const std::string allowed = std::string(kAlphanumeric) + "-/_+=.@!";
  if (name.empty() || name.find_first_not_of(allowed) != std::string::npos) {
    return Fail(Code::kInvalid,
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of "
                "the following: -/_+=.@!");
  }
  if (name.size() > kMaximumName) {
    return Fail(Code::kInvalid, "Invalid name. A name has at most 512 characters.");
  }
  return {};
}

Result<std::string> Secrets::AddVersion(Record& record, store::Transaction& transaction,
                                        const std::string& token, const Content& content,
                                        const std::vector<std::string>& stages) {
  TRY(CheckContent(content));
  const std::string version_id = token.empty() ? system::RandomUuid(entropy_) : token;
  if (record.versions.contains(version_id)) {
    TRY_ASSIGN(const Content known, Open(record, version_id));
    if (Same(known, content)) return version_id;
    return Fail(Code::kAlreadyExists,
                fmt::format("You can't use ClientRequestToken {} because that value is already in "
                            "use for a version of secret {}.",
                            version_id, record.arn));
  }
  const WallTime now = clock_.Now();
  record.versions[version_id] = {.created = now, .binary = content.binary};
  std::vector<std::string> wanted = stages;
  const bool has_current = HolderOf(record, kCurrent).has_value();
  if (wanted.empty() || (!has_current && std::ranges::find(wanted, kCurrent) == wanted.end())) {
    wanted.emplace_back(kCurrent);
  }
  if (wanted.size() > kMaximumStages) {
    return Fail(Code::kExhausted, "A secret version can have at most 20 staging labels.");
  }
  AttachStages(record, version_id, wanted);
  for (const std::string& old : Prune(record, now)) {
    transaction.deletes.push_back(ValueKey(record.id, old));
  }
  if (record.versions.size() > kHardMaximumVersions) {
    return Fail(Code::kExhausted,
                "The secret has too many versions younger than a day; try again later.");
  }
  record.changed = now;
  transaction.puts.push_back({.key = ValueKey(record.id, version_id),
                              .value = Seal(record, version_id, content),
                              .lease = ""});
  return version_id;
}

Result<Written> Secrets::AnswerRepeatedCreate(const CreateRequest& request, const Found& found) {
  const Record& record = found.record;
  if (record.deletion) {
    return Fail(Code::kFailedState,
                "You can't create this secret because a secret with this name is already scheduled "
                "for deletion.");
  }
  if (request.content && record.versions.contains(request.token)) {
    TRY_ASSIGN(const Content known, Open(record, request.token));
    if (request.content_is_generated || Same(known, *request.content)) {
      return Written{.record = record, .version_id = request.token};
    }
  }
  return Fail(
      Code::kAlreadyExists,
      fmt::format("The operation failed because the secret {} already exists.", request.name));
}

Result<Written> Secrets::Create(const CreateRequest& request) {
  TRY(CheckName(request.name));
  TRY(CheckDescription(request.description));
  if (request.tags.size() > kMaximumTags) {
    return Fail(Code::kInvalid, "A secret can have at most 50 tags.");
  }
  TRY_ASSIGN(const std::optional<Found> found, Lookup(request.name));
  if (found) return AnswerRepeatedCreate(request, *found);
  const WallTime now = clock_.Now();
  Written written{.record = {.id = system::RandomUuid(entropy_),
                             .name = request.name,
                             .description = request.description,
                             .created = now,
                             .changed = now,
                             .tags = request.tags}};
  Record& record = written.record;
  record.arn =
      fmt::format("arn:aws:secretsmanager:{}:{}:secret:{}-{}", place_.region, place_.account,
                  request.name, system::RandomText(entropy_, 6, kAlphanumeric));
  store::Transaction transaction;
  if (request.content) {
    TRY_ASSIGN(written.version_id,
               AddVersion(record, transaction, request.token, *request.content, {}));
  }
  const std::string index = json::serialize(json::object{{"id", record.id}});
  transaction.compares.push_back({.key = NameKey(record.name), .revision = 0});
  transaction.puts.push_back({.key = NameKey(record.name), .value = index, .lease = ""});
  transaction.puts.push_back({.key = RecordKey(record.id), .value = ToJson(record), .lease = ""});
  const Result<store::Revision> committed = store_.Commit(transaction);
  if (committed) return written;
  if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  // Somebody else made a secret of this name between our look and our commit.
  TRY_ASSIGN(const std::optional<Found> faster, Lookup(request.name));
  if (faster) return AnswerRepeatedCreate(request, *faster);
  return Fail(committed.error());
}

Result<Written> Secrets::Put(const PutRequest& request) {
  std::string version_id;
  TRY_ASSIGN(Record record, Edit(request.secret_id, false,
                                 [&](Record& edited, store::Transaction& transaction) -> Result<> {
                                   TRY_ASSIGN(version_id,
                                              AddVersion(edited, transaction, request.token,
                                                         request.content, request.stages));
                                   return {};
                                 }));
  return Written{.record = std::move(record), .version_id = version_id};
}

Result<Written> Secrets::Update(const UpdateRequest& request) {
  if (request.description) TRY(CheckDescription(*request.description));
  std::string version_id;
  TRY_ASSIGN(Record record,
             Edit(request.secret_id, false,
                  [&](Record& edited, store::Transaction& transaction) -> Result<> {
                    if (request.description && edited.description != *request.description) {
                      edited.description = *request.description;
                      edited.changed = clock_.Now();
                    }
                    if (!request.content) return {};
                    TRY_ASSIGN(version_id, AddVersion(edited, transaction, request.token,
                                                      *request.content, {}));
                    return {};
                  }));
  return Written{.record = std::move(record), .version_id = version_id};
}

}  // namespace howdah::secrets
