// Reading and writing the fleet's documents, with the revision that a compare needs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "fleet/context.h"
#include "fleet/event.h"
#include "fleet/instance.h"
#include "ha/record.h"
#include "nodes/node.h"
#include "nodes/route.h"
#include "store/store.h"
#include "workflow/workflow.h"

namespace howdah::fleet {

template <typename T>
struct Versioned {
  T value;
  store::Revision revision = 0;  // 0: there is no such document yet
};

Result<Versioned<Instance>> LoadInstance(store::Store& store, const InstanceId& id);
Result<Versioned<Instance>> FindInstance(store::Store& store, std::string_view identifier);
// Every name and whose it is, sorted: cheap, because no instance is read. An instance that is being
// renamed has two.
struct InstanceName {
  std::string identifier;
  InstanceId id;
};
Result<std::vector<InstanceName>> ListInstanceNames(store::Store& store);
Result<std::vector<Instance>> ListInstances(store::Store& store);
Result<std::vector<Versioned<Instance>>> ListVersionedInstances(store::Store& store);
// kNotFound where the instance has none yet.
Result<Versioned<ha::Record>> LoadRecord(store::Store& store, const InstanceId& id);
// What the agent says; State::kUnknown where it has said nothing.
Result<nodes::Observed> LoadObserved(store::Store& store, const NodeId& node);
// What the gateway says; nothing where it has said nothing.
Result<nodes::RouteObserved> LoadRouteObserved(store::Store& store, const InstanceId& id);

// Adds the write and the compare on what was read.
void Save(store::Transaction& transaction, const Versioned<Instance>& instance);
void Save(store::Transaction& transaction, const InstanceId& id,
          const Versioned<ha::Record>& record);

// The run that works on the instance now; nullopt when none does.
Result<std::optional<workflow::Run>> ActiveRun(store::Store& store, const Instance& instance);

// RDS's word for what the instance is doing: from the run that works on it, else from the record
// and from what its nodes report of their storage (storage.h).
std::string StatusOf(const Instance& instance, const std::optional<workflow::Run>& active,
                     const nodes::Storage& storage);

// An event about an instance, in the transaction that makes it true.
void Tell(const Context& context, store::Transaction& transaction, const Instance& instance,
          std::string message, std::string category);

}  // namespace howdah::fleet
