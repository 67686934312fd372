// What a stack, its resources and its events look like to the client.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

std::optional<std::string> Said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

aws::Outcome<api::Stack> ShowStack(const World& world, const Stack& stack) {
  api::Stack shown;
  shown.stack_id = stack.arn;
  shown.stack_name = stack.name;
  shown.change_set_id = Said(stack.change_set);
  shown.description = Said(stack.description);
  if (!stack.source.empty()) {
    OUTCOME_ASSIGN(const StackSource source, SourceOf(world, stack));
    OUTCOME_ASSIGN(const Template made, ReadTemplate(source.body));
    shown.parameters = ShownParameters(made, source.parameters);
  }
  shown.creation_time = stack.created;
  shown.deletion_time = stack.deleted;
  shown.last_updated_time = stack.updated;
  shown.rollback_configuration = api::RollbackConfiguration{};
  shown.stack_status = stack.status;
  shown.stack_status_reason = Said(stack.reason);
  shown.disable_rollback = stack.on_failure == "DO_NOTHING";
  if (stack.timeout_minutes > 0) shown.timeout_in_minutes = stack.timeout_minutes;
  shown.capabilities = aws::List<std::string>(stack.capabilities);
  for (const StackOutput& output : stack.outputs) {
    api::Output one;
    one.output_key = output.key;
    one.output_value = output.value;
    one.description = Said(output.description);
    one.export_name = Said(output.export_name);
    shown.outputs.push_back(std::move(one));
  }
  shown.tags = TagList(stack.tags);
  shown.enable_termination_protection = stack.termination_protection;
  if (stack.retain_except_on_create) shown.retain_except_on_create = true;
  shown.drift_information = api::StackDriftInformation{};
  shown.drift_information->stack_drift_status = stack.drift.empty() ? "NOT_CHECKED" : stack.drift;
  shown.drift_information->last_check_timestamp = stack.drift_checked;
  return shown;
}

aws::Outcome<std::vector<Stack>> AllStacks(const World& world) {
  auto stacks = ListStacks(world.store);
  if (!stacks) return aws::Refuse(aws::FaultOf(stacks.error()));
  return *std::move(stacks);
}

aws::Outcome<api::DescribeStacksOutput> DescribeStacks(const World& world,
                                                       const api::DescribeStacksInput& in) {
  api::DescribeStacksOutput out;
  std::vector<Stack> page;
  if (in.stack_name) {
    OUTCOME_ASSIGN(StoredStack stored, FindStack(world, *in.stack_name));
    page.push_back(std::move(stored.stack));
  } else {
    OUTCOME_ASSIGN(std::vector<Stack> stacks, AllStacks(world));
    std::erase_if(stacks, [](const Stack& stack) { return stack.status == "DELETE_COMPLETE"; });
    OUTCOME_ASSIGN(page, PageOf(std::move(stacks), in.next_token, out.next_token));
  }
  for (const Stack& stack : page) {
    OUTCOME_ASSIGN(api::Stack shown, ShowStack(world, stack));
    out.stacks.push_back(std::move(shown));
  }
  return out;
}

aws::Outcome<api::ListStacksOutput> ListOfStacks(const World& world,
                                                 const api::ListStacksInput& in) {
  OUTCOME_ASSIGN(std::vector<Stack> stacks, AllStacks(world));
  if (!in.stack_status_filter.empty()) {
    std::erase_if(stacks, [&](const Stack& stack) {
      return std::ranges::find(in.stack_status_filter, stack.status) ==
             in.stack_status_filter.end();
    });
  }
  api::ListStacksOutput out;
  OUTCOME_ASSIGN(const auto page, PageOf(std::move(stacks), in.next_token, out.next_token));
  for (const Stack& stack : page) {
    api::StackSummary summary;
    summary.stack_id = stack.arn;
    summary.stack_name = stack.name;
    summary.template_description = Said(stack.description);
    summary.creation_time = stack.created;
    summary.last_updated_time = stack.updated;
    summary.deletion_time = stack.deleted;
    summary.stack_status = stack.status;
    summary.stack_status_reason = Said(stack.reason);
    summary.drift_information = api::StackDriftInformationSummary{};
    summary.drift_information->stack_drift_status =
        stack.drift.empty() ? "NOT_CHECKED" : stack.drift;
    summary.drift_information->last_check_timestamp = stack.drift_checked;
    out.stack_summaries.push_back(std::move(summary));
  }
  return out;
}

aws::Outcome<api::DescribeStackEventsOutput> DescribeStackEvents(
    const World& world, const api::DescribeStackEventsInput& in) {
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  auto events = ListEvents(world.store, stored.stack.id);
  if (!events) return aws::Refuse(aws::FaultOf(events.error()));
  api::DescribeStackEventsOutput out;
  OUTCOME_ASSIGN(const auto page, PageOf(*std::move(events), in.next_token, out.next_token));
  for (const Event& event : page) {
    api::StackEvent shown;
    shown.stack_id = stored.stack.arn;
    shown.event_id = event.id;
    shown.stack_name = stored.stack.name;
    shown.logical_resource_id = event.logical_id;
    shown.physical_resource_id = event.physical_id;
    shown.resource_type = event.type;
    shown.timestamp = event.time;
    shown.resource_status = event.status;
    shown.resource_status_reason = Said(event.reason);
    shown.client_request_token = Said(event.client_token);
    out.stack_events.push_back(std::move(shown));
  }
  return out;
}

// Those that have been begun, in order of their names.
std::vector<ResourceRecord> BegunResources(const Stack& stack) {
  std::vector<ResourceRecord> records;
  for (const ResourceRecord& record : stack.resources) {
    if (!record.status.empty()) records.push_back(record);
  }
  std::ranges::sort(records, {}, &ResourceRecord::logical_id);
  return records;
}

// The three answers have the same members under slightly different names.
template <typename T>
T ShowResource(const ResourceRecord& record) {
  T shown;
  shown.logical_resource_id = record.logical_id;
  shown.physical_resource_id = Said(record.physical_id);
  shown.resource_type = record.type;
  shown.resource_status = record.status;
  shown.resource_status_reason = Said(record.reason);
  shown.drift_information.emplace();
  shown.drift_information->stack_resource_drift_status =
      record.drift.empty() ? "NOT_CHECKED" : record.drift;
  shown.drift_information->last_check_timestamp = record.drift_checked;
  return shown;
}

std::unexpected<aws::Fault> NoSuchResource(const std::string& name, const Stack& stack) {
  return aws::Refuse(aws::ValidationError(
      fmt::format("Resource {} does not exist for stack {}", name, stack.name)));
}

// By the stack, or by the physical id of one of its resources.
aws::Outcome<StoredStack> StackOfResources(const World& world,
                                           const api::DescribeStackResourcesInput& in) {
  if (in.stack_name) return FindStack(world, *in.stack_name);
  if (!in.physical_resource_id) {
    return aws::Refuse(
        aws::ValidationError("You must specify either StackName or PhysicalResourceId."));
  }
  OUTCOME_ASSIGN(std::vector<Stack> stacks, AllStacks(world));
  for (Stack& stack : stacks) {
    const auto found =
        std::ranges::find(stack.resources, *in.physical_resource_id, &ResourceRecord::physical_id);
    const bool there = found != stack.resources.end() && !found->Gone();
    if (there) return StoredStack{std::move(stack), 0};
  }
  return aws::Refuse(
      aws::ValidationError(fmt::format("Stack for {} does not exist", *in.physical_resource_id)));
}

aws::Outcome<api::DescribeStackResourcesOutput> DescribeStackResources(
    const World& world, const api::DescribeStackResourcesInput& in) {
  OUTCOME_ASSIGN(const StoredStack stored, StackOfResources(world, in));
  api::DescribeStackResourcesOutput out;
  for (const ResourceRecord& record : BegunResources(stored.stack)) {
    if (in.logical_resource_id && record.logical_id != *in.logical_resource_id) continue;
    auto shown = ShowResource<api::StackResource>(record);
    shown.stack_name = stored.stack.name;
    shown.stack_id = stored.stack.arn;
    shown.timestamp = record.updated;
    out.stack_resources.push_back(std::move(shown));
  }
  if (in.logical_resource_id && out.stack_resources.empty()) {
    return NoSuchResource(*in.logical_resource_id, stored.stack);
  }
  return out;
}

aws::Outcome<api::DescribeStackResourceOutput> DescribeStackResource(
    const World& world, const api::DescribeStackResourceInput& in) {
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  const std::string name = in.logical_resource_id.value_or("");
  const std::vector<ResourceRecord> records = BegunResources(stored.stack);
  const auto found = std::ranges::find(records, name, &ResourceRecord::logical_id);
  if (found == records.end()) return NoSuchResource(name, stored.stack);
  auto shown = ShowResource<api::StackResourceDetail>(*found);
  shown.stack_name = stored.stack.name;
  shown.stack_id = stored.stack.arn;
  shown.last_updated_timestamp = found->updated;
  return api::DescribeStackResourceOutput{.stack_resource_detail = std::move(shown)};
}

aws::Outcome<api::ListStackResourcesOutput> ListStackResources(
    const World& world, const api::ListStackResourcesInput& in) {
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  api::ListStackResourcesOutput out;
  OUTCOME_ASSIGN(const auto page,
                 PageOf(BegunResources(stored.stack), in.next_token, out.next_token));
  for (const ResourceRecord& record : page) {
    auto shown = ShowResource<api::StackResourceSummary>(record);
    shown.last_updated_timestamp = record.updated;
    out.stack_resource_summaries.push_back(std::move(shown));
  }
  return out;
}

}  // namespace

void RegisterDescriptions(aws::Service& service, const World& world) {
  service.Register<api::DescribeStacks>(
      [world](const RequestContext&, const auto& in) { return DescribeStacks(world, in); });
  service.Register<api::ListStacks>(
      [world](const RequestContext&, const auto& in) { return ListOfStacks(world, in); });
  service.Register<api::DescribeStackEvents>(
      [world](const RequestContext&, const auto& in) { return DescribeStackEvents(world, in); });
  service.Register<api::DescribeStackResources>(
      [world](const RequestContext&, const auto& in) { return DescribeStackResources(world, in); });
  service.Register<api::DescribeStackResource>(
      [world](const RequestContext&, const auto& in) { return DescribeStackResource(world, in); });
  service.Register<api::ListStackResources>(
      [world](const RequestContext&, const auto& in) { return ListStackResources(world, in); });
}

}  // namespace howdah::cfn
