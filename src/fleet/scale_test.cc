// What a look costs does not grow with the number of instances: a reconciler reads what changed,
// and what that touches. A store that counts is the witness.
#include <gtest/gtest.h>

#include "fleet/keys.h"
#include "fleet/test_fleet.h"
#include "fleet/workflows.h"
#include "nodes/route.h"
#include "store/forwarding_store.h"
#include "vpc/groups.h"
#include "vpc/interfaces.h"
#include "vpc/records.h"
#include "vpc/vpcs.h"

namespace howdah::fleet {
namespace {

constexpr int kInstances = 25;

class Counting final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<store::Document> Get(std::string_view key) override {
    ++gets;
    return ForwardingStore::Get(key);
  }
  Result<store::Listing> List(std::string_view prefix) override {
    ++lists;
    return ForwardingStore::List(prefix);
  }
  Result<store::Revision> Commit(const store::Transaction& transaction) override {
    ++commits;
    return ForwardingStore::Commit(transaction);
  }

  void Reset() { gets = lists = commits = 0; }
  int gets = 0;
  int lists = 0;
  int commits = 0;
};

std::string NameOf(int i) {
  return "db-" + std::to_string(100 + i);
}

class ScaleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kInstances; ++i) {
      NewInstance wish = fleet.Wish(false);
      wish.identifier = NameOf(i);
      ASSERT_TRUE(CreateInstance(*fleet.context, wish));
    }
    ASSERT_TRUE(fleet.RunUntilIdle(1000));
    ASSERT_EQ(fleet.Status(NameOf(kInstances - 1)), "available");
    context = fleet.MakeContext(counting);
  }
  // Until there is nothing new any more; what the first looks find is not what is measured.
  void Settle(const workflow::Reconciler& reconciler) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(reconciler.reconcile());
    counting.Reset();
  }
  void Touch(std::string_view name) {
    ASSERT_TRUE(SetTags(*fleet.context, name, {{"touched", "yes"}}, {}));
  }

  TestFleet fleet;
  Counting counting{*fleet.store};
  std::shared_ptr<Context> context;
};

TEST_F(ScaleTest, WhereNothingChangedNothingIsRead) {
  for (const auto& make : {HaReconciler, RouteReconciler}) {
    const workflow::Reconciler reconciler = make(*context);
    Settle(reconciler);
    ASSERT_TRUE(reconciler.reconcile());
    EXPECT_EQ(counting.gets + counting.lists, 0) << reconciler.name;
  }
}

TEST_F(ScaleTest, AChangedInstanceIsLookedAtAlone) {
  for (const auto& make : {HaReconciler, RouteReconciler}) {
    const workflow::Reconciler reconciler = make(*context);
    Settle(reconciler);
    Touch(NameOf(3));
    ASSERT_TRUE(reconciler.reconcile());
    EXPECT_LE(counting.gets, 5) << reconciler.name;
    EXPECT_EQ(counting.lists, 0) << reconciler.name;
  }
}

TEST_F(ScaleTest, ANodeThatReportsIsLookedAtAlone) {
  const workflow::Reconciler reconciler = HaReconciler(*context);
  Settle(reconciler);
  const std::string key = nodes::ObservedKey(fleet.Find(NameOf(3))->first_node);
  nodes::Observed observed = *LoadObserved(*fleet.store, fleet.Find(NameOf(3))->first_node);
  observed.detail = "news";
  ASSERT_TRUE(fleet.store->Commit({.compares = {}, .puts = {{key, nodes::Format(observed), ""}}}));
  ASSERT_TRUE(reconciler.reconcile());
  EXPECT_LE(counting.gets, 6);
  EXPECT_EQ(counting.lists, 0);
}

TEST_F(ScaleTest, AnInterfaceThatNoRuleConcernsTouchesNoRoute) {
  const workflow::Reconciler reconciler = RouteReconciler(*context);
  Settle(reconciler);
  ASSERT_TRUE(vpc::Transact(*fleet.store, [&](store::Transaction& transaction) -> Result<> {
    TRY_ASSIGN(const std::vector<vpc::Subnet> subnets, vpc::List<vpc::Subnet>(*fleet.store));
    TRY(vpc::ReserveInterface(fleet.context->vpc, transaction,
                              {.subnet = subnets.front().id, .groups = {}, .owner = {}}));
    return {};
  }));
  ASSERT_TRUE(reconciler.reconcile());
  EXPECT_EQ(counting.gets, 0);
  EXPECT_EQ(counting.lists, 3) << "rules, groups and interfaces, once";
  EXPECT_EQ(counting.commits, 0);
}

TEST_F(ScaleTest, ARuleReachesEveryRouteOfItsGroup) {
  const workflow::Reconciler reconciler = RouteReconciler(*context);
  Settle(reconciler);
  vpc::Rule rule{.protocol = "tcp", .from_port = 5432, .to_port = 5432};
  rule.source = vpc::GroupId(fleet.groups.at(1));
  ASSERT_TRUE(vpc::Transact(*fleet.store, [&](store::Transaction& transaction) -> Result<> {
    TRY(vpc::AddRules(fleet.context->vpc, transaction, vpc::GroupId(fleet.groups.at(0)), {rule}));
    return {};
  }));
  ASSERT_TRUE(reconciler.reconcile());
  EXPECT_EQ(counting.lists, 3);
  for (int i = 0; i < kInstances; ++i) {
    const auto route = fleet.store->Get(nodes::RouteKey(fleet.Find(NameOf(i))->id));
    ASSERT_TRUE(route);
    EXPECT_EQ(nodes::ParseRoute(route->value)->allow.size(), 1);
  }
}

TEST_F(ScaleTest, ARouteWhoseInstanceIsGoneGoesWithTheNextFullLook) {
  const workflow::Reconciler reconciler = RouteReconciler(*context);
  Settle(reconciler);
  ASSERT_TRUE(fleet.store->Commit(
      {.compares = {},
       .puts = {{nodes::RouteKey(InstanceId("db-GONE")), nodes::Format(nodes::Route{}), ""}}}));
  fleet.store.clock.Advance(1min);
  ASSERT_TRUE(reconciler.reconcile());
  EXPECT_FALSE(fleet.store->Get(nodes::RouteKey(InstanceId("db-GONE"))));
}

}  // namespace
}  // namespace howdah::fleet
