// The handlers' common ground. Private to this room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/generated/secretsmanager.h"
#include "aws/service.h"
#include "secrets/secrets.h"
#include "system/entropy.h"

namespace howdah::services::secretsmanager {

namespace sm = aws::secretsmanager;

struct Context {
  secrets::Secrets& secrets;
  system::Entropy& entropy;
};

// Secrets Manager's fault for an Error of the room `secrets`.
aws::Fault FaultOf(const Error& error);
template <typename T>
aws::Outcome<T> OutcomeOf(Result<T> result) {
  if (result) return *std::move(result);
  return aws::Refuse(FaultOf(result.error()));
}

// The value of a request; nothing where it names none. Both at once is refused.
aws::Outcome<std::optional<secrets::Content>> ContentOf(const std::optional<std::string>& text,
                                                        const std::optional<aws::Blob>& bytes);
// Only the key that stands for "Howdah's own" is a promise that is kept.
aws::Outcome<void> CheckKmsKey(const std::optional<std::string>& kms_key_id);
aws::Outcome<std::map<std::string, std::string>> TagsOf(const aws::List<sm::Tag>& tags);
aws::List<sm::Tag> ShapeOf(const std::map<std::string, std::string>& tags);
// The stages of each version that has any.
aws::Map<aws::List<std::string>> StagesOf(const secrets::Record& record);

// What a description and an entry of a list have in common: everything but the name of their
// stages.
template <typename Shape>
Shape ShapeOf(const secrets::Record& record) {
  Shape shape{.arn = record.arn,
              .name = record.name,
              .last_changed_date = record.changed,
              .last_accessed_date = record.accessed,
              .deleted_date = record.deletion,
              .tags = ShapeOf(record.tags),
              .created_date = record.created};
  if (!record.description.empty()) shape.description = record.description;
  return shape;
}

// A value as the only answer or as one of many.
template <typename Shape>
Shape ShapeOf(secrets::Value value) {
  const secrets::Version& version = value.record.versions.at(value.version_id);
  Shape shape{.arn = value.record.arn,
              .name = value.record.name,
              .version_id = value.version_id,
              .version_stages = version.stages,
              .created_date = version.created};
  if (value.content.binary) {
    shape.secret_binary = aws::Blob{std::move(value.content.bytes)};
  } else {
    shape.secret_string = std::move(value.content.bytes);
  }
  return shape;
}

// Where a listing goes on: opaque to the client, and refused when it is not one of ours.
std::string EncodeToken(const std::string& position);
aws::Outcome<std::string> DecodeToken(const std::optional<std::string>& token);

void RegisterLife(aws::Service& service, const Context& context);      // create … restore
void RegisterValues(aws::Service& service, const Context& context);    // get, put, stages
void RegisterListings(aws::Service& service, const Context& context);  // lists
void RegisterBatch(aws::Service& service, const Context& context);     // many values at once

}  // namespace howdah::services::secretsmanager
