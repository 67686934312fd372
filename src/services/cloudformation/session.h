// One look at one stack, by its workflow or a detection of drift: the stack as read, its templates
// opened, and what its resources come to. What it holds in clear is gone with it.
#pragma once

#include "services/cloudformation/cloudformation.h"
#include "services/cloudformation/exports.h"
#include "services/cloudformation/template/dynamic_reference.h"
#include "services/cloudformation/template/evaluate.h"

namespace howdah::cfn {

// A template with its values, its conditions decided: the one the stack has, or the one that it is
// to have.
struct Side {
  Template made;
  ParameterValues parameters;
  Tags tags;
};

class Session {
 public:
  // What is written is added to `transaction`.
  Session(const World& world, const Providers& providers, store::Transaction& transaction,
          WallTime now, StoredStack stored)
      : world_(world),
        providers_(providers),
        transaction_(transaction),
        now_(now),
        stored_(std::move(stored)) {}

  Stack& stack() { return stored_.stack; }
  const World& world() const { return world_; }
  WallTime now() const { return now_; }
  const Provider& ProviderOf(const ResourceRecord& record) const {
    return providers_.Of(record.type);
  }

  Result<Side> Current();  // of stack.source
  Result<Side> Next();     // of stack.next_source

  Subject SubjectOf(const ResourceRecord& record, const Side& side) const;
  // The resource's properties with their types; secrets stay references.
  aws::Outcome<json::object> Properties(const ResourceRecord& record, const Side& side);
  // The same with the secrets in place of their references. Never to be stored.
  aws::Outcome<json::object> WithSecrets(const ResourceRecord& record, json::object properties);
  std::string Seal(const json::object& properties) const;
  Result<json::object> Unseal(const std::string& sealed) const;
  Result<std::vector<StackOutput>> Outputs(const Side& side);
  // The exports that the outputs ask for; kInvalid when they cannot be.
  Result<> Publish(const std::vector<StackOutput>& outputs);
  // The stack uses the exports that this side imports, and no others any more; null: none at all.
  Result<> UseImports(const Side* side);

  // Each with its event, to be committed with the step.
  void SetStatus(std::string status, std::string reason);
  void SetStatus(ResourceRecord& record, std::string status, std::string reason = "");
  // Something must be written, and there may be more to do at once.
  void Touch() { changed_ = hurried_ = true; }
  // Another try is counted, and made a little later.
  void CountTry(ResourceRecord& record) {
    ++record.attempts;
    changed_ = true;
  }
  bool hurried() const { return hurried_; }
  void CancelWhatIsUnderWay();
  void TurnUpdateAround(std::string why);
  void ReleaseName();  // the stack is gone: its name is free
  void Save();

 private:
  Result<Side> Open(const std::string& sealed, const Tags& tags);
  Scope ScopeOf(const Side& side);
  Result<std::vector<std::string>> Zones(const std::string& region) const;
  aws::RequestContext Context() const;
  aws::Outcome<std::string> ReadSecretValue(const SecretReference& reference) const;

  const World& world_;
  const Providers& providers_;
  store::Transaction& transaction_;
  WallTime now_;
  StoredStack stored_;
  bool changed_ = false;
  bool hurried_ = false;
};

// A fault that may pass: the same call is worth another try.
bool MayPass(const aws::Fault& fault);
// The reason of a failed resource, in AWS's words.
std::string FailureText(const aws::Fault& fault, std::string_view type, system::Entropy& entropy);

}  // namespace howdah::cfn
