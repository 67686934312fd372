// Steps that several workflows share: each looks first, acts at most once, and returns.
#pragma once

#include <functional>

#include "fleet/context.h"
#include "fleet/records.h"
#include "workflow/workflow.h"

namespace howdah::fleet {

using workflow::Next;
using workflow::StepContext;
using workflow::StepFunction;

// A step of a workflow whose subject is an instance: loads it and hands it on. `body` may change
// it and say Save().
using InstanceStep =
    std::function<Next(const Context& context, StepContext& step, Versioned<Instance>& instance)>;
StepFunction OnInstance(const Context& context, InstanceStep body);
// The same for an undo: an instance that is gone needs none.
StepFunction UndoOnInstance(const Context& context, InstanceStep body);

// Nodes.
Next StartNodes(const Context& context, StepContext& step, Versioned<Instance>& instance);
Next RemoveNodes(const Context& context, StepContext& step, Versioned<Instance>& instance);
// The instance's first node, and its second where there is one, run with the present settings, the
// present password and all restarts asked for.
Next AwaitNodesAsWanted(const Context& context, StepContext& step, Versioned<Instance>& instance);

// Interfaces: one a node; the first one's address is the endpoint's.
Next ReserveInterfaces(const Context& context, StepContext& step, Versioned<Instance>& instance);
Next ReleaseInterfaces(const Context& context, StepContext& step, Versioned<Instance>& instance);

// The standby of a Multi-AZ instance: asked for, then awaited until the record says protected.
Next Protect(const Context& context, StepContext& step, Versioned<Instance>& instance);
Next RemoveStandby(const Context& context, StepContext& step, Versioned<Instance>& instance);

// The endpoint: done when the gateway listens at the present address and port, or nowhere.
Next OpenEndpoint(const Context& context, StepContext& step, Versioned<Instance>& instance);
Next CloseEndpoint(const Context& context, StepContext& step, Versioned<Instance>& instance);

}  // namespace howdah::fleet
