// What storage means for an instance: the worst of what its nodes report. A pair is as full as its
// fuller half: if only the standby is full, the primary takes no writes either, for what it would
// write could not be protected.
#pragma once

#include "fleet/context.h"
#include "fleet/instance.h"
#include "fleet/records.h"
#include "nodes/storage.h"
#include "workflow/reconciler.h"

namespace howdah::fleet {

// The worst state, and the least room, of the instance's nodes.
Result<nodes::Storage> StorageOf(store::Store& store, const Instance& instance);
// Running, and its server is stopped only because its storage is full: nothing to wait for.
bool IsHeldForStorage(const nodes::Observed& observed);

// The standing duty: tells by events when an instance comes to another state (storage.cc).
workflow::Reconciler StorageReconciler(const Context& context);

}  // namespace howdah::fleet
