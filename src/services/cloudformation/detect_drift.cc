// DetectStackDrift, DetectStackResourceDrift and what they found. There is little to look at, so a
// detection is complete when its call returns.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/drift.h"
#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;
using SharedProviders = std::shared_ptr<const Providers>;

bool CanBeLookedAt(const Stack& stack) {
  return CanBeUpdated(stack) || stack.status == "UPDATE_ROLLBACK_FAILED";
}

std::unexpected<aws::Fault> CannotBeLookedAt(const Stack& stack) {
  return aws::Refuse(aws::ValidationError(
      fmt::format("Drift detection cannot be performed on stack [{}] while it is in {} state",
                  stack.arn, stack.status)));
}

// Looks at one resource and adds what it found to the transaction.
aws::Outcome<ResourceDrift> Detect(const World& world, Session& session, ResourceRecord& record,
                                   const Side& side, store::Transaction& transaction) {
  OUTCOME_ASSIGN(ResourceDrift drift, LookForDrift(session, record, side));
  record.drift = drift.status;
  record.drift_checked = session.now();
  const Stack& stack = session.stack();
  transaction.puts.push_back(
      {DriftKey(stack, record.logical_id), SealDrift(world.sealer, stack, drift), ""});
  return drift;
}

aws::Outcome<void> CheckNames(Stack& stack, const aws::List<std::string>& names) {
  for (const std::string& name : names) {
    if (stack.Find(name) != nullptr) continue;
    return aws::Refuse(aws::ValidationError(
        fmt::format("Resource {} does not exist for stack {}", name, stack.name)));
  }
  return {};
}

// Every resource, or those named; those that cannot be looked at are named in the detection.
DriftDetection DetectAll(const World& world, Session& session, const Side& side,
                         const aws::List<std::string>& names, store::Transaction& transaction) {
  Stack& stack = session.stack();
  DriftDetection detection;
  detection.id = system::RandomUuid(world.entropy);
  detection.stack_id = stack.id;
  detection.stack_arn = stack.arn;
  detection.time = session.now();
  for (ResourceRecord& record : stack.resources) {
    const bool wanted = names.empty() || std::ranges::find(names, record.logical_id) != names.end();
    if (!wanted || record.physical_id.empty() || record.status == "DELETE_FAILED") continue;
    const auto drift = Detect(world, session, record, side, transaction);
    if (!drift) {
      detection.failure += fmt::format("Failed to detect drift on resource [{}]: {} ",
                                       record.logical_id, drift.error().message);
    } else if (drift->status != "IN_SYNC") {
      ++detection.drifted;
    }
  }
  detection.status = detection.drifted > 0 ? "DRIFTED" : "IN_SYNC";
  stack.drift = detection.status;
  stack.drift_checked = session.now();
  return detection;
}

aws::Outcome<api::DetectStackDriftOutput> DetectStackDrift(const World& world,
                                                           const SharedProviders& providers,
                                                           const RequestContext& context,
                                                           const api::DetectStackDriftInput& in) {
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  if (!CanBeLookedAt(stored.stack)) return CannotBeLookedAt(stored.stack);
  OUTCOME_TRY(CheckNames(stored.stack, in.logical_resource_ids));
  store::Transaction transaction;
  Session session(world, *providers, transaction, context.now, std::move(stored));
  const auto side = session.Current();
  if (!side) return aws::Refuse(aws::FaultOf(side.error()));
  const DriftDetection detection =
      DetectAll(world, session, *side, in.logical_resource_ids, transaction);
  transaction.puts.push_back({DetectionKey(detection.id), Format(detection), ""});
  session.Touch();
  session.Save();
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::DetectStackDriftOutput{.stack_drift_detection_id = detection.id};
}

aws::Outcome<api::DescribeStackDriftDetectionStatusOutput> DescribeDetection(
    const World& world, const api::DescribeStackDriftDetectionStatusInput& in) {
  const std::string id = in.stack_drift_detection_id.value_or("");
  const auto document = world.store.Get(DetectionKey(id));
  if (!document && document.error().code() == Code::kNotFound) {
    return aws::Refuse(
        aws::ValidationError(fmt::format("Drift detection id [{}] does not exist", id)));
  }
  if (!document) return aws::Refuse(aws::FaultOf(document.error()));
  const auto detection = ParseDetection(document->value);
  if (!detection) return aws::Refuse(aws::FaultOf(detection.error()));
  api::DescribeStackDriftDetectionStatusOutput out;
  out.stack_id = detection->stack_arn;
  out.stack_drift_detection_id = detection->id;
  out.stack_drift_status = detection->status;
  out.detection_status = detection->failure.empty() ? "DETECTION_COMPLETE" : "DETECTION_FAILED";
  if (!detection->failure.empty()) out.detection_status_reason = detection->failure;
  out.drifted_stack_resource_count = detection->drifted;
  out.timestamp = detection->time;
  return out;
}

api::StackResourceDrift Show(const Stack& stack, const ResourceDrift& drift) {
  static constexpr std::string_view kKinds[] = {"ADD", "REMOVE", "NOT_EQUAL"};
  api::StackResourceDrift shown;
  shown.stack_id = stack.arn;
  shown.logical_resource_id = drift.logical_id;
  shown.physical_resource_id = drift.physical_id;
  shown.resource_type = drift.type;
  if (!drift.expected.empty()) shown.expected_properties = drift.expected;
  if (!drift.actual.empty()) shown.actual_properties = drift.actual;
  shown.stack_resource_drift_status = drift.status;
  shown.timestamp = drift.time;
  for (const Difference& difference : drift.differences) {
    api::PropertyDifference one;
    one.property_path = difference.path;
    one.expected_value = difference.expected;
    one.actual_value = difference.actual;
    one.difference_type = std::string(kKinds[static_cast<int>(difference.kind)]);
    shown.property_differences.push_back(std::move(one));
  }
  return shown;
}

aws::Outcome<api::DetectStackResourceDriftOutput> DetectStackResourceDrift(
    const World& world, const SharedProviders& providers, const RequestContext& context,
    const api::DetectStackResourceDriftInput& in) {
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  if (!CanBeLookedAt(stored.stack)) return CannotBeLookedAt(stored.stack);
  const std::string name = in.logical_resource_id.value_or("");
  OUTCOME_TRY(CheckNames(stored.stack, {name}));
  store::Transaction transaction;
  Session session(world, *providers, transaction, context.now, std::move(stored));
  const auto side = session.Current();
  if (!side) return aws::Refuse(aws::FaultOf(side.error()));
  OUTCOME_ASSIGN(const ResourceDrift drift,
                 Detect(world, session, *session.stack().Find(name), *side, transaction));
  session.Touch();
  session.Save();
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::DetectStackResourceDriftOutput{.stack_resource_drift = Show(session.stack(), drift)};
}

aws::Outcome<api::DescribeStackResourceDriftsOutput> DescribeDrifts(
    const World& world, const api::DescribeStackResourceDriftsInput& in) {
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  const auto listing = world.store.List(DriftPrefix(stack.id));
  if (!listing) return aws::Refuse(aws::FaultOf(listing.error()));
  std::vector<ResourceDrift> drifts;
  for (const store::Document& document : listing->documents) {
    auto drift = OpenDrift(world.sealer, stack, document.value);
    if (!drift) return aws::Refuse(aws::FaultOf(drift.error()));
    const auto& filters = in.stack_resource_drift_status_filters;
    const ResourceRecord* record = stack.Find(drift->logical_id);
    // What has been changed or replaced since then has not been checked.
    const bool current = record != nullptr && !record->drift.empty();
    const bool wanted =
        filters.empty() || std::ranges::find(filters, drift->status) != filters.end();
    if (current && wanted) drifts.push_back(*std::move(drift));
  }
  api::DescribeStackResourceDriftsOutput out;
  const auto most = static_cast<std::size_t>(in.max_results.value_or(100));
  OUTCOME_ASSIGN(const auto page, PageOf(std::move(drifts), in.next_token, out.next_token, most));
  for (const ResourceDrift& drift : page) out.stack_resource_drifts.push_back(Show(stack, drift));
  return out;
}

}  // namespace

void RegisterDrift(aws::Service& service, const World& world) {
  const auto providers = std::make_shared<const Providers>(world.services);
  service.Register<api::DetectStackDrift>(
      [world, providers](const RequestContext& context, const auto& in) {
        return DetectStackDrift(world, providers, context, in);
      });
  service.Register<api::DetectStackResourceDrift>(
      [world, providers](const RequestContext& context, const auto& in) {
        return DetectStackResourceDrift(world, providers, context, in);
      });
  service.Register<api::DescribeStackDriftDetectionStatus>(
      [world](const RequestContext&, const auto& in) { return DescribeDetection(world, in); });
  service.Register<api::DescribeStackResourceDrifts>(
      [world](const RequestContext&, const auto& in) { return DescribeDrifts(world, in); });
}

}  // namespace howdah::cfn
