// What the files of commands share: how a command on an instance is committed.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>

#include "fleet/backup.h"
#include "fleet/context.h"
#include "fleet/records.h"

namespace howdah::fleet {

inline constexpr int kTries = 8;  // how often a lost compare is looked at again

using Build = std::function<Result<>(store::Transaction&, Versioned<Instance>&)>;

// Loads by name, builds, commits; a lost compare starts over.
Result<Instance> Transact(const Context& context, std::string_view identifier, const Build& build);

// kFailedState with the status that it is in.
Result<> RequireStatus(const Context& context, const Instance& instance,
                       std::initializer_list<std::string_view> wanted);

// Starts `workflow` as the run of the instance and adds both to the transaction.
void Begin(const Context& context, store::Transaction& transaction, Versioned<Instance>& instance,
           std::string_view workflow, json::object frame = {});

// A snapshot that a run is to take, under a name that is free, with its events. kAlreadyExists,
// kExhausted.
Result<> AddSnapshot(const Context& context, store::Transaction& transaction,
                     const Instance& instance, const DbSnapshot& snapshot);

}  // namespace howdah::fleet
