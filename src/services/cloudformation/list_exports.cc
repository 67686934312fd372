// ListExports, ListImports.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

aws::Outcome<std::vector<Export>> AllExports(const World& world) {
  auto exports = ListExports(world.store);
  if (!exports) return aws::Refuse(aws::FaultOf(exports.error()));
  return *std::move(exports);
}

aws::Outcome<api::ListExportsOutput> Exports(const World& world, const api::ListExportsInput& in) {
  OUTCOME_ASSIGN(std::vector<Export> exports, AllExports(world));
  api::ListExportsOutput out;
  OUTCOME_ASSIGN(const auto page, PageOf(std::move(exports), in.next_token, out.next_token));
  for (const Export& one : page) {
    api::Export shown;
    shown.exporting_stack_id = one.stack_arn;
    shown.name = one.name;
    shown.value = one.value;
    out.exports.push_back(std::move(shown));
  }
  return out;
}

aws::Outcome<api::ListImportsOutput> Imports(const World& world, const api::ListImportsInput& in) {
  const std::string name = in.export_name.value_or("");
  OUTCOME_ASSIGN(const std::vector<Export> exports, AllExports(world));
  const auto found = std::ranges::find(exports, name, &Export::name);
  if (found == exports.end() || found->importers.empty()) {
    return aws::Refuse(
        aws::ValidationError(fmt::format("Export '{}' is not imported by any stack.", name)));
  }
  api::ListImportsOutput out;
  OUTCOME_ASSIGN(const auto page, PageOf(found->importers, in.next_token, out.next_token));
  for (const std::string& id : page) {
    const auto stored = GetStack(world.store, id);
    if (!stored) return aws::Refuse(aws::FaultOf(stored.error()));
    out.imports.push_back(stored->stack.name);
  }
  return out;
}

}  // namespace

void RegisterExports(aws::Service& service, const World& world) {
  service.Register<api::ListExports>(
      [world](const RequestContext&, const auto& in) { return Exports(world, in); });
  service.Register<api::ListImports>(
      [world](const RequestContext&, const auto& in) { return Imports(world, in); });
}

}  // namespace howdah::cfn
