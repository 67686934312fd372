// A Service is the table of handlers of one AWS service. Handlers are registered before the server
// starts and are called on worker threads, several at a time: what they touch guards itself.
//
//   service.Register<rds::DescribeDBInstances>(
//       [&](const aws::RequestContext& context, const rds::DescribeDBInstancesMessage& in)
//           -> aws::Outcome<rds::DBInstanceMessage> { … });
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "aws/fault.h"
#include "aws/shape.h"
#include "base/time.h"

namespace howdah::aws {

// Who asks, where, and when. Every request that reaches a handler has been authenticated.
struct RequestContext {
  std::string account_id;
  std::string region;
  std::string principal_arn;
  std::string access_key_id;
  std::string request_id;
  WallTime now{};  // when the request arrived
};

class Service {
 public:
  // Fills the input from the request, checks it, and gives it to the handler; then hands the output
  // on. The types are known only inside.
  using Decode = std::function<Outcome<void>(void* input)>;
  using Encode = std::function<void(const void* output)>;
  using Call = std::function<Outcome<void>(const RequestContext&, const Decode&, const Encode&)>;
  struct Handler {
    const OperationDesc* operation;
    Call call;
    bool answers_dry_run = false;  // else the Api refuses before the handler is called
  };

  explicit Service(const ServiceDesc& desc) : desc_(desc) {}

  // F is callable as Outcome<typename Op::Output>(const RequestContext&, const typename
  // Op::Input&). One that `answers_dry_run` looks at DryRun itself, and changes nothing then.
  template <typename Op, typename F>
  void Register(F handler, bool answers_dry_run = false) {
    Add({&Op::Desc(),
         [handler = std::move(handler)](const RequestContext& context, const Decode& decode,
                                        const Encode& encode) -> Outcome<void> {
           typename Op::Input input{};
           OUTCOME_TRY(decode(&input));
           Outcome<typename Op::Output> output = handler(context, std::as_const(input));
           if (!output) return std::unexpected(std::move(output).error());
           encode(&*output);
           return {};
         },
         answers_dry_run});
  }

  const ServiceDesc& desc() const { return desc_; }
  // The handler of an operation, or nullptr.
  const Handler* Find(std::string_view operation) const;
  // Is this an operation of AWS's service, served or not?
  bool Knows(std::string_view operation) const;

 private:
  void Add(Handler handler);

  const ServiceDesc& desc_;
  std::map<std::string_view, Handler> handlers_;
};

}  // namespace howdah::aws
