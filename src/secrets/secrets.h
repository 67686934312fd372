// Howdah's secrets. Every change is one transaction against the revision that was read and is tried
// again when somebody else was faster, so all functions are safe from any thread and any process.
// Error codes: kNotFound, kAlreadyExists, kFailedState (marked for deletion), kInvalid, kExhausted
// (a limit), kCorrupt (a sealed value does not open); texts are AWS's and hold no value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "secrets/record.h"
#include "secrets/stages.h"
#include "store/store.h"
#include "system/clock.h"
#include "system/entropy.h"
#include "vault/keyring.h"

namespace howdah::secrets {

inline constexpr std::size_t kMaximumValueSize = 65536;
inline constexpr std::size_t kMaximumTags = 50;

struct Content {
  std::string bytes;
  bool binary = false;
};

struct CreateRequest {
  std::string name;
  std::string token;  // becomes the version id; empty: a fresh one
  std::string description;
  std::optional<Content> content;
  std::map<std::string, std::string> tags;
  // The content was drawn at random, so a repeated call with the same token cannot bring the same
  // one: then the token alone says that it is the same call.
  bool content_is_generated = false;
};

struct PutRequest {
  std::string secret_id;
  std::string token;
  Content content;
  std::vector<std::string> stages;  // empty: AWSCURRENT
};

struct UpdateRequest {
  std::string secret_id;
  std::string token;
  std::optional<std::string> description;
  std::optional<Content> content;  // becomes a new AWSCURRENT version
};

struct Written {
  Record record;
  std::string version_id;  // empty: no version was asked for
};

struct Value {
  Record record;
  std::string version_id;
  Content content;
};

// kInvalid: not a name that a secret can have.
Result<> CheckName(const std::string& name);

class Secrets {
 public:
  struct Place {
    std::string region;
    std::string account;
  };

  // Everything passed by reference outlives this object.
  Secrets(store::Store& store, const vault::Keyring& keyring, const system::Clock& clock,
          system::Entropy& entropy, Place place);

  // The same name, token and content again is the same answer.
  Result<Written> Create(const CreateRequest& request);
  Result<Written> Put(const PutRequest& request);
  Result<Written> Update(const UpdateRequest& request);

  // A secret is named by its name, its ARN, or its ARN without the random ending. Also one that is
  // marked for deletion is found.
  Result<Record> Find(std::string_view secret_id);
  // Find, but kFailedState where it is marked for deletion.
  Result<Record> FindActive(std::string_view secret_id);
  // Sorted by id; all of them, marked for deletion or not.
  Result<std::vector<Record>> List();
  // Empty version and stage: AWSCURRENT. Notes the day of access.
  Result<Value> GetValue(std::string_view secret_id, std::string_view version_id,
                         std::string_view stage);

  // Marks for deletion in `days` (7 to 30).
  Result<Record> Delete(std::string_view secret_id, int days);
  // At once, also when it is marked already; nothing where there is no such secret.
  Result<std::optional<Record>> ForceDelete(std::string_view secret_id);
  Result<Record> Restore(std::string_view secret_id);

  Result<Record> Tag(std::string_view secret_id, const std::map<std::string, std::string>& tags);
  Result<Record> Untag(std::string_view secret_id, const std::vector<std::string>& keys);
  Result<Record> Move(std::string_view secret_id, const StageMove& move);

  // Removes every secret whose recovery window is over; how many. For a reconciler.
  Result<int> PurgeDue(WallTime now);

 private:
  struct Found {
    Record record;
    store::Revision revision = 0;
  };
  using Change = std::function<Result<>(Record&, store::Transaction&)>;

  Result<std::optional<Found>> Lookup(std::string_view secret_id);
  Result<Found> LookupExisting(std::string_view secret_id);
  Result<Found> LookupActive(std::string_view secret_id);
  // Reads, changes and commits a record until nobody was faster.
  Result<Record> Edit(std::string_view secret_id, bool even_deleted, const Change& change);
  Result<Written> AnswerRepeatedCreate(const CreateRequest& request, const Found& found);
  // Adds a version to the record, or finds that this very version is there already.
  Result<std::string> AddVersion(Record& record, store::Transaction& transaction,
                                 const std::string& token, const Content& content,
                                 const std::vector<std::string>& stages);
  Result<Content> Open(const Record& record, const std::string& version_id);
  std::string Seal(const Record& record, const std::string& version_id, const Content& content);
  Result<> Remove(const Found& found);
  void NoteAccess(const Found& found);

  store::Store& store_;
  const vault::Keyring& keyring_;
  const system::Clock& clock_;
  system::Entropy& entropy_;
  Place place_;
};

}  // namespace howdah::secrets
