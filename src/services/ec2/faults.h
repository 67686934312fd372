// EC2's own codes and words, which AWS does not model: "InvalidVpcID.NotFound" and its like. And
// the one way in which every handler changes the store.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "aws/fault.h"
#include "store/store.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

// The fault of a record that does not exist, by the prefix of its id.
aws::Fault NotFound(std::string_view id);
// The same for a kind of record, given by its ids' prefix, whatever the id looks like.
aws::Fault NotFoundAs(std::string_view prefix, std::string_view id);
// A thing that AWS does and Howdah does not: refused, never recorded and ignored.
aws::Fault Unsupported(std::string_view parameter, std::string_view why);
aws::Fault InvalidValue(std::string_view value, std::string_view parameter, std::string_view why);

// Is this text an id that could be stored? AWS tells malformed ids of groups, rules and interfaces
// from unknown ones, those of others not.
aws::Outcome<void> CheckId(std::string_view prefix, const std::string& id);

// The record with this id, or the fault that says what is wrong with the id.
template <typename T>
aws::Outcome<T> Find(store::Store& store, const std::string& id) {
  OUTCOME_TRY(CheckId(T::kPrefix, id));
  auto record = vpc::Get<T>(store, typename T::IdType(id));
  if (record) return *std::move(record);
  if (record.error().code() == Code::kNotFound) return aws::Refuse(NotFoundAs(T::kPrefix, id));
  return aws::Refuse(aws::FaultOf(record.error()));
}

// The default VPC; VPCIdNotSpecified where there is none.
aws::Outcome<vpc::Vpc> FindDefaultVpc(store::Store& store);

// "This Error code is that AWS code", with the text to say; without one the Error's own.
struct Wire {
  Code code;
  std::string_view wire;
  std::string text = {};
};
// What an Error becomes. kNotFound and kConflict without a Wire mean that the world has changed
// since the handler looked: Change() runs the handler's function again.
aws::Fault Translate(const Error& error, std::initializer_list<Wire> wires);

template <typename T>
aws::Outcome<T> Translated(Result<T> result, std::initializer_list<Wire> wires = {}) {
  if (!result) return aws::Refuse(Translate(result.error(), wires));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

// Builds a transaction and commits it, again as long as somebody else was faster. (A dry run
// commits to a DryStore.)
aws::Outcome<void> Change(store::Store& store,
                          const std::function<aws::Outcome<void>(store::Transaction&)>& build);

}  // namespace howdah::services::ec2
