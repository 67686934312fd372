// A test aid: EC2, RDS and Secrets Manager in miniature, with just the operations that providers
// call. Things survive a simulated crash; every call can crash before and after its effect.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "services/cloudformation/cloudformation.h"
#include "store/fault_store.h"

namespace howdah::cfn {

struct Thing {
  std::string kind, id, parent;
  Tags tags;
  std::map<std::string, std::string> values;
  int looks = 0;  // how often it has been looked at: a DB instance takes some
};

struct FakeCloud {
  std::map<std::string, Thing> things;  // by id
  int next_id = 0;
  std::set<std::string> refused;  // operations that fail
  int instance_looks = 3;         // until a DB instance is available
  int calls = 0;

  std::string Names() const;  // "db-instance prod-db, vpc vpc-1", to be compared
};

// The services of one process, on a cloud that survives it.
struct FakeServices {
  FakeServices(FakeCloud& cloud, store::FaultPlan* faults);
  FakeServices(const FakeServices&) = delete;
  FakeServices& operator=(const FakeServices&) = delete;

  aws::Service ec2, rds, secretsmanager;
};

}  // namespace howdah::cfn
