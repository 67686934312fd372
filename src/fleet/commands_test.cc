// What holds whoever asks: a name is unique, one run at a time works on an instance, and what two
// people do at the same moment ends as if one had come after the other.
#include "fleet/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/keys.h"
#include "fleet/subnet_group.h"
#include "fleet/test_fleet.h"
#include "fleet/workflows.h"
#include "nodes/route.h"
#include "store/forwarding_store.h"

namespace howdah::fleet {
namespace {

using ::testing::Contains;

// A store in which somebody else is quicker: `meddle` runs just before the first commit.
class Racing final : public store::ForwardingStore {
 public:
  Racing(store::Store& inner, std::function<void()> meddle)
      : ForwardingStore(inner), meddle_(std::move(meddle)) {}
  Result<store::Revision> Commit(const store::Transaction& transaction) override {
    if (auto meddle = std::exchange(meddle_, nullptr)) meddle();
    return ForwardingStore::Commit(transaction);
  }

 private:
  std::function<void()> meddle_;
};

Code CodeOf(const Result<Instance>& result) {
  return result ? Code::kInternal : result.error().code();
}

class CommandsTest : public ::testing::Test {
 protected:
  Result<Instance> Create() { return CreateInstance(*fleet.context, fleet.Wish(false)); }
  void MakeAvailable() {
    ASSERT_TRUE(Create());
    ASSERT_TRUE(fleet.RunUntilIdle());
    ASSERT_EQ(fleet.Status(), "available");
  }
  Result<Instance> Modify(const std::function<void(Change&)>& change) {
    TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
    Change wish{.settings = instance.value.settings};
    change(wish);
    return ModifyInstance(*fleet.context, instance, wish);
  }
  Result<Instance> Delete() { return DeleteInstance(*fleet.context, kTestName); }

  TestFleet fleet;
};

TEST_F(CommandsTest, ANameIsUnique) {
  ASSERT_TRUE(Create());
  EXPECT_EQ(CodeOf(Create()), Code::kAlreadyExists);
  EXPECT_EQ(ListInstances(*fleet.store)->size(), 1);
}

TEST_F(CommandsTest, ANameIsFreeAgainAfterTheDeletion) {
  MakeAvailable();
  ASSERT_TRUE(Delete());
  EXPECT_EQ(CodeOf(Create()), Code::kAlreadyExists) << "while it is being deleted";
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_TRUE(Create());
}

TEST_F(CommandsTest, OneRunAtATimeWorksOnAnInstance) {
  ASSERT_TRUE(Create());
  EXPECT_EQ(fleet.Status(), "creating");
  EXPECT_EQ(CodeOf(RebootInstance(*fleet.context, kTestName)), Code::kFailedState);
  EXPECT_EQ(CodeOf(StopInstance(*fleet.context, kTestName)), Code::kFailedState);
  EXPECT_EQ(CodeOf(StartInstance(*fleet.context, kTestName)), Code::kFailedState);
  EXPECT_EQ(CodeOf(Modify([](Change&) {})), Code::kFailedState);
  ASSERT_TRUE(fleet.RunUntilIdle());
  ASSERT_TRUE(RebootInstance(*fleet.context, kTestName));
  EXPECT_EQ(fleet.Status(), "rebooting");
  EXPECT_EQ(CodeOf(StopInstance(*fleet.context, kTestName)), Code::kFailedState);
}

TEST_F(CommandsTest, WhatIsStoppedCanOnlyBeStartedOrDeleted) {
  MakeAvailable();
  ASSERT_TRUE(StopInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  ASSERT_EQ(fleet.Status(), "stopped");
  EXPECT_EQ(CodeOf(RebootInstance(*fleet.context, kTestName)), Code::kFailedState);
  EXPECT_EQ(CodeOf(Modify([](Change&) {})), Code::kFailedState);
  ASSERT_TRUE(StartInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "available");
}

TEST_F(CommandsTest, DeletingWhatIsBeingCreatedUndoesTheCreationFirst) {
  const Result<Instance> created = Create();
  ASSERT_TRUE(created);
  fleet.RunFor(3);
  ASSERT_TRUE(Delete());
  EXPECT_EQ(fleet.Status(), "deleting");
  const auto run = fleet.store->Get(workflow::RunKey(created->run));
  ASSERT_TRUE(run);
  EXPECT_EQ(workflow::ParseRun(run->value)->state, workflow::RunState::kUndoing);
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "gone");
}

TEST_F(CommandsTest, ASecondDeletionIsRefused) {
  MakeAvailable();
  ASSERT_TRUE(Delete());
  EXPECT_EQ(CodeOf(Delete()), Code::kFailedState);
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(CodeOf(Delete()), Code::kNotFound);
}

TEST_F(CommandsTest, AModificationOfWhatChangedMeanwhileIsAConflict) {
  MakeAvailable();
  const auto seen = FindInstance(*fleet.store, kTestName);
  ASSERT_TRUE(SetTags(*fleet.context, kTestName, {{"k", "v"}}, {}));
  EXPECT_EQ(CodeOf(ModifyInstance(*fleet.context, *seen, {.settings = seen->value.settings})),
            Code::kConflict);
}

TEST_F(CommandsTest, ARenamedInstanceIsFoundUnderItsNewNameOnly) {
  MakeAvailable();
  ASSERT_TRUE(Modify([](Change& change) { change.new_identifier = "other"; }));
  EXPECT_EQ(fleet.Find()->identifier, kTestName) << "until all else is true";
  EXPECT_EQ(fleet.Status(), "renaming");
  EXPECT_EQ(CodeOf(Create()), Code::kAlreadyExists) << "both names are its own meanwhile";
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "gone");
  EXPECT_TRUE(fleet.Find("other"));
  ASSERT_TRUE(Create()) << "the old name is free";
}

TEST_F(CommandsTest, WhatNobodyHasToCarryOutIsTrueAtOnce) {
  MakeAvailable();
  ASSERT_TRUE(Modify([](Change& change) {
    change.settings.deletion_protection = true;
    change.settings.maintenance_window = "mon:01:00-mon:02:00";
    change.deferred.multi_az = true;
  }));
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_TRUE(fleet.Find()->settings.deletion_protection);
  EXPECT_FALSE(fleet.Find()->settings.multi_az);
  EXPECT_EQ(fleet.Find()->deferred.multi_az, true);
}

TEST_F(CommandsTest, ANewNameMustBeFree) {
  MakeAvailable();
  NewInstance other = fleet.Wish(false);
  other.identifier = "other";
  ASSERT_TRUE(CreateInstance(*fleet.context, other));
  EXPECT_EQ(CodeOf(Modify([](Change& change) { change.new_identifier = "other"; })),
            Code::kAlreadyExists);
}

TEST_F(CommandsTest, ASubnetGroupThatIsGoneHoldsNoNewInstance) {
  NewInstance wish = fleet.Wish(false);
  wish.subnet_group = "no-such-group";
  EXPECT_EQ(CodeOf(CreateInstance(*fleet.context, wish)), Code::kNotFound);
  EXPECT_TRUE(ListInstances(*fleet.store)->empty());
}

TEST_F(CommandsTest, ASubnetGroupThatIsDeletedAtTheSameMomentHoldsNoNewInstance) {
  Racing racing(*fleet.store, [this] {
    EXPECT_TRUE(fleet.store->Commit(
        {.compares = {}, .puts = {}, .deletes = {SubnetGroupKey("db-subnet-group")}}));
  });
  const auto context = fleet.MakeContext(racing);
  EXPECT_EQ(CodeOf(CreateInstance(*context, fleet.Wish(false))), Code::kConflict);
  EXPECT_TRUE(ListInstances(*fleet.store)->empty());
}

TEST_F(CommandsTest, TwoInstancesMadeInOneSubnetGroupAtTheSameMomentAreBothMade) {
  Racing racing(*fleet.store, [this] { EXPECT_TRUE(Create()); });
  const auto context = fleet.MakeContext(racing);
  NewInstance second = fleet.Wish(false);
  second.identifier = "second";
  ASSERT_TRUE(CreateInstance(*context, second));
  EXPECT_EQ(ListInstances(*fleet.store)->size(), 2U);
}

TEST_F(CommandsTest, WhoDeletesASubnetGroupSeesAnInstanceThatAppearedMeanwhile) {
  const auto group = fleet.store->Get(SubnetGroupKey("db-subnet-group"));
  ASSERT_TRUE(Create());
  const auto deleted = fleet.store->Commit(
      {.compares = {{group->key, group->revision}}, .puts = {}, .deletes = {group->key}});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code(), Code::kConflict);
}

TEST_F(CommandsTest, ALostCompareIsLookedAtAgain) {
  MakeAvailable();
  Racing racing(*fleet.store,
                [this] { EXPECT_TRUE(SetTags(*fleet.context, kTestName, {{"theirs", "1"}}, {})); });
  const auto context = fleet.MakeContext(racing);
  ASSERT_TRUE(SetTags(*context, kTestName, {{"ours", "2"}}, {}));
  EXPECT_EQ(fleet.Find()->tags, (Tags{{"ours", "2"}, {"theirs", "1"}}));
}

TEST_F(CommandsTest, EventsTellWhatHappened) {
  MakeAvailable();
  EXPECT_THAT(fleet.Messages(), Contains("DB instance created"));
  ASSERT_TRUE(Modify([](Change& change) {
    change.settings.master_verifier = "new";
    ++change.settings.password_stamp;
    change.settings.instance_class = "db.t3.small";
  }));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_THAT(fleet.Messages(), Contains("Reset master credentials"));
  EXPECT_THAT(fleet.Messages(), Contains("Finished applying modification to DB instance class"));
}

// The reconcilers write only what follows from what is still true.

TEST_F(CommandsTest, ANodeIsNotAskedForAgainByALookFromBeforeItsRemoval) {
  MakeAvailable();
  const NodeId node = fleet.Find()->first_node;
  // Before the reconciler has said anything about it, the whole instance goes.
  ASSERT_TRUE(
      fleet.store->Commit({.compares = {}, .puts = {}, .deletes = {nodes::DesiredKey(node)}}));
  Racing racing(*fleet.store, [this] {
    ASSERT_TRUE(Delete());
    ASSERT_TRUE(fleet.RunUntilIdle());
  });
  const auto context = fleet.MakeContext(racing);
  EXPECT_TRUE(HaReconciler(*context).reconcile());
  EXPECT_FALSE(fleet.store->Get(nodes::DesiredKey(node)));
}

TEST_F(CommandsTest, ARouteDoesNotComeBackByALookFromBeforeItsEndpointWasClosed) {
  MakeAvailable();
  const InstanceId id = fleet.Find()->id;
  ASSERT_TRUE(fleet.store->Commit({.compares = {}, .puts = {}, .deletes = {nodes::RouteKey(id)}}));
  Racing racing(*fleet.store, [this] {
    ASSERT_TRUE(Delete());
    ASSERT_TRUE(fleet.RunUntilIdle());
  });
  const auto context = fleet.MakeContext(racing);
  EXPECT_TRUE(RouteReconciler(*context).reconcile());
  EXPECT_FALSE(fleet.store->Get(nodes::RouteKey(id)));
}

}  // namespace
}  // namespace howdah::fleet
