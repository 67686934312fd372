// `howdah failover` and `howdah why`: a role change that an operator asks for, and what became of
// every one so far.
#include <fmt/format.h>

#include "fleet/commands.h"
#include "fleet/journal.h"
#include "fleet/node_plan.h"
#include "services/operator/operator.h"
#include "services/operator/status.h"

namespace howdah::services {

namespace api = aws::howdah_api;
using aws::Outcome;
using aws::Refuse;
using aws::RequestContext;

namespace {

Outcome<api::FailoverResponse> Failover(const fleet::Context& context,
                                        const api::FailoverRequest& in) {
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 operators::FindByName(context, in.db_instance_identifier.value_or("")));
  const std::string& name = instance.identifier;
  if (!instance.settings.multi_az) {
    return Refuse("InvalidStateException",
                  fmt::format("The DB instance '{}' has no standby: it is Single-AZ.", name));
  }
  const bool accept = in.accept_data_loss.value_or(false);
  const auto done = accept ? fleet::FailoverAcceptingDataLoss(context, name)
                           : fleet::FailoverInstance(context, name);
  if (!done) {
    const bool status = done.error().code() == Code::kFailedState;
    return Refuse("InvalidStateException",
                  fmt::format("The DB instance '{}' cannot fail over: {}{}.", name,
                              status ? "it is " : "", done.error().what()));
  }
  const auto record = fleet::LoadRecord(context.store, instance.id);
  if (!record) return Refuse(aws::FaultOf(record.error()));
  return api::FailoverResponse{.epoch = record->value.epoch};
}

api::RoleChange ToShape(const fleet::Instance& instance, const fleet::RoleChange& change) {
  api::RoleChange shape;
  shape.number = change.number;
  shape.epoch = change.epoch;
  shape.cause = change.cause;
  shape.evidence = change.steps.empty() ? "" : change.steps.front().reason;
  shape.from_node = change.from.str();
  shape.from_zone = fleet::ZoneOf(instance, change.from);
  shape.to_node = change.to.str();
  shape.to_zone = fleet::ZoneOf(instance, change.to);
  shape.begun = change.begun;
  for (const fleet::RoleChange::Step& step : change.steps) {
    shape.steps.push_back(
        {.phase = step.phase, .after_milliseconds = step.after_ms, .reason = step.reason});
  }
  shape.outcome = change.outcome;
  shape.rejoined = change.rejoined;
  shape.set_aside_bytes = change.set_aside_bytes;
  return shape;
}

Outcome<api::ExplainRoleChangesResponse> Explain(const fleet::Context& context,
                                                 const OperatorHost& host,
                                                 const api::ExplainRoleChangesRequest& in) {
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 operators::FindByName(context, in.db_instance_identifier.value_or("")));
  api::ExplainRoleChangesResponse out;
  out.role_changes.MarkPresent();
  const auto record = fleet::LoadRecord(context.store, instance.id);
  if (!record) return out;  // not begun
  out.phase = std::string(ha::PhaseName(record->value.phase));
  out.epoch = record->value.epoch;
  out.protection = operators::ProtectionOf(host, instance, record->value);
  const auto changes = fleet::ListRoleChanges(context.store, instance.id);
  if (!changes) return Refuse(aws::FaultOf(changes.error()));
  for (const fleet::RoleChange& change : *changes) {
    out.role_changes.push_back(ToShape(instance, change));
  }
  return out;
}

}  // namespace

void RegisterFailover(aws::Service& service, const fleet::Context& context,
                      const OperatorHost& host) {
  service.Register<api::Failover>(
      [&](const RequestContext&, const api::FailoverRequest& in) { return Failover(context, in); });
  service.Register<api::ExplainRoleChanges>(
      [&](const RequestContext&, const api::ExplainRoleChangesRequest& in) {
        return Explain(context, host, in);
      });
}

}  // namespace howdah::services
