// One look at one stack by its workflow: the stack as read, its templates opened, and what its
// resources come to. Lives for one step; what it holds in clear is gone with it.
#pragma once

#include "services/cloudformation/cloudformation.h"
#include "services/cloudformation/template/dynamic_reference.h"
#include "services/cloudformation/template/evaluate.h"
#include "workflow/workflow.h"

namespace howdah::cfn {

// A template with its values: the one the stack has, or the one that it is to have.
struct Side {
  Template made;
  ParameterValues parameters;
  Tags tags;
};

class Session {
 public:
  Session(const World& world, const Providers& providers, workflow::StepContext& step,
          StoredStack stored)
      : world_(world), providers_(providers), step_(step), stored_(std::move(stored)) {}

  Stack& stack() { return stored_.stack; }
  const World& world() const { return world_; }
  WallTime now() const { return step_.now; }
  const Provider& ProviderOf(const ResourceRecord& record) const {
    return providers_.Of(record.type);
  }

  Result<Side> Current();  // of stack.source
  Result<Side> Next();     // of stack.next_source

  Subject SubjectOf(const ResourceRecord& record, const Side& side) const;
  // The resource's properties with their types; secrets resolved only if asked for.
  aws::Outcome<json::object> Properties(const ResourceRecord& record, const Side& side,
                                        bool with_secrets);
  Result<std::vector<StackOutput>> Outputs(const Side& side);

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
  void ReleaseName();  // the stack is gone: its name is free
  void Save();

 private:
  Result<Side> Open(const std::string& sealed, const Tags& tags);
  Scope ScopeOf(const Side& side);
  aws::RequestContext Context() const;
  aws::Outcome<std::string> ReadSecretValue(const SecretReference& reference) const;

  const World& world_;
  const Providers& providers_;
  workflow::StepContext& step_;
  StoredStack stored_;
  bool changed_ = false;
  bool hurried_ = false;
};

// A fault that may pass: the same call is worth another try.
bool MayPass(const aws::Fault& fault);
// The reason of a failed resource, in AWS's words.
std::string FailureText(const aws::Fault& fault, std::string_view type, system::Entropy& entropy);

}  // namespace howdah::cfn
