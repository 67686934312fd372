// The journal of role changes: for each, what set it off, on what evidence, who gave way to whom,
// what happened when, and what became of the former primary. Written in the transactions that make
// it true. The newest kJournalKept of an instance are kept, and go with it.
#pragma once

#include <string>
#include <vector>

#include "fleet/context.h"
#include "ha/record.h"
#include "nodes/node.h"

namespace howdah::fleet {

inline constexpr std::size_t kJournalKept = 100;

struct RoleChange {
  std::int64_t number = 0;  // 1, 2, … of this instance
  ha::Epoch epoch = 0;      // that it led to; while it prepares: that it leaves
  std::string cause;        // ha::CauseName
  NodeId from;
  NodeId to;
  WallTime begun;
  // Phases as they were entered, in milliseconds since `begun`, with the reason. That of the first
  // is the evidence for the change.
  struct Step {
    std::string phase;
    std::int64_t after_ms = 0;
    std::string reason;
    bool operator==(const Step&) const = default;
  };
  std::vector<Step> steps;
  std::string outcome;   // "": under way; "completed", "given up", "turned back"
  std::string rejoined;  // how the former primary came back
  std::int64_t set_aside_bytes = 0;
  bool operator==(const RoleChange&) const = default;
};

std::string Format(const RoleChange& change);
Result<RoleChange> ParseRoleChange(std::string_view text);

// Oldest first.
Result<std::vector<RoleChange>> ListRoleChanges(store::Store& store, const InstanceId& instance);

// Adds what a step of the record means to the journal. `former`: what the former primary's agent
// reports.
Result<> Journal(const Context& context, store::Transaction& transaction,
                 const InstanceId& instance, const ha::Record& before, const ha::Record& after,
                 const std::string& reason, const nodes::Observed& former);
// For the instance's deletion.
Result<> DeleteJournal(const Context& context, store::Transaction& transaction,
                       const InstanceId& instance);

}  // namespace howdah::fleet
