// Who watches a simulated world and says what was promised and broken: the invariants of the
// failover by the names that they have in the design, asserted at the moments at which they could
// break. It sees everything, the truth in the servers and every change of the record.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fleet/journal.h"
#include "ha/record.h"
#include "ha/step.h"
#include "sim/gateway.h"
#include "sim/postgres.h"

namespace howdah::sim {

class Judge {
 public:
  Judge(const Postgres& postgres, const Gateway& gateway)
      : postgres_(postgres), gateway_(gateway) {}

  const std::string& violation() const { return violation_; }
  void Violated(const std::string& invariant, const std::string& what);

  // The record has changed.
  void OnRecord(const ha::Record& before, const ha::Record& after, MonotonicTime now);
  void OnRecordGone() { record_ = {}; }
  const ha::Record& record() const { return record_; }

  void OnAcknowledged(const NodeId& node, const Waiter& waiter, const NodeId& confirmed_by);
  // A client was told that this commit is done; it may be another moment than the one above.
  void OnPromised(EntryId entry) { acknowledged_.push_back(entry); }
  void OnPromotion(const NodeId& node);
  void OnStart(const NodeId& node);
  void OnLetGo(const NodeId& node);
  // A rejoin, a copy, initdb, a removal.
  void BeforeOverwriting(const NodeId& node, const std::string& how);
  void OnRead(const NodeId& node);
  // What must hold at every moment.
  void OnMoment();
  // At the end, when all is well again.
  void OnEnd();
  // Every event that was told since the beginning, and the journal.
  void OnTold(const std::vector<std::string>& events,
              const std::vector<fleet::RoleChange>& journal);

  void NoteCommit(EntryId entry);
  std::size_t acknowledged() const { return acknowledged_.size(); }
  std::size_t reads() const { return reads_; }
  bool loss_accepted() const { return loss_accepted_; }
  // Whether a primary that ends is failed over from, by what I19 says.
  bool MayFailOver(MonotonicTime now) const;

 private:
  // The first of the wanted that is not among the visible entries; 0: none is missing.
  EntryId Missing(const std::vector<EntryId>& wal, std::size_t visible,
                  const std::vector<EntryId>& wanted);
  void RequireTruth(const ha::Record& before, const ha::Record& after);
  void RequireEntitled(const ha::Record& before, const ha::Record& after);
  void RequirePatience(const ha::Record& after, MonotonicTime now);
  void ExpectEvents(const ha::Record& before, const ha::Record& after);
  std::size_t FailoversWithin(Duration window, MonotonicTime now) const;
  void RequireAll(const std::string& invariant, const NodeId& node, std::size_t visible,
                  const std::string& when);

  const Postgres& postgres_;
  const Gateway& gateway_;
  ha::Record record_;
  std::set<std::string> tokens_;
  std::vector<EntryId> acknowledged_;  // clients were told that it is done
  std::vector<EntryId> seen_;          // somebody has read it
  std::vector<bool> is_commit_;        // of a client, by entry
  std::vector<bool> is_seen_;
  std::vector<std::uint32_t> stamps_;  // by entry: the last count in which it was visible
  std::uint32_t count_ = 0;
  std::int64_t epoch_of_last_ack_ = 0;
  int newest_timeline_ = 1;
  std::vector<MonotonicTime> failovers_;   // that nobody asked for
  std::map<std::string, int> to_be_told_;  // events, how often
  std::size_t completed_ = 0, role_changes_ = 0;
  std::size_t reads_ = 0;
  bool loss_accepted_ = false;
  std::string violation_;
};

}  // namespace howdah::sim
