// The properties of an AWS::RDS::DBInstance in a template, and how they differ from the RDS API's
// parameters and descriptions. No calls are made here.
#pragma once

#include <string>
#include <string_view>

#include "aws/generated/rds.h"
#include "services/cloudformation/provider.h"

namespace howdah::cfn {

namespace rds = aws::rds;

// Whether it begins with a DB snapshot, or with another instance's state at a time.
bool IsFromSnapshot(const json::object& properties);
bool IsFromTime(const json::object& properties);
bool IsRestored(const json::object& properties);
// The operation that makes it then.
const aws::OperationDesc& RestoreOperation(const json::object& properties);
// Of one that is not restored: an empty source is none.
void WithoutEmptySources(json::object& properties);

// Whether an operation has a parameter of that name.
bool Takes(const aws::OperationDesc& operation, std::string_view name);
// A template's name to the API's.
void Rename(json::object& properties, std::string_view from, std::string_view to);
// Whether a rollback leaves it as it is: storage never shrinks.
bool CannotBeTakenBack(const Subject& subject, std::string_view name, const json::object& before,
                       const json::object& after);

// For drift: what stands elsewhere in the API's description, and what the API keeps in another form
// than templates may write it.
void ReadOthers(const rds::DBInstance& instance, json::object& actual);
void TakeSpelling(json::object& actual, const json::object& expected);

}  // namespace howdah::cfn
