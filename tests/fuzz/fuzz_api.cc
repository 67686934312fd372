// Any request that is rightly signed, through the whole Api: a byte for the service and the method,
// a line for the URL's query or the target, then the body. Whatever it holds, the answer is well
// formed and never a 5xx.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/api.h"
#include "aws/generated/cloudformation.h"
#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"
#include "aws/generated/sts.h"
#include "aws/xml.h"
#include "base/json.h"

namespace {

using namespace howdah;
using namespace howdah::aws;

class OneKey : public Credentials {
 public:
  std::optional<std::string> FindSecret(std::string_view) const override { return "secret"; }
};

WallTime Now() {
  return FromMicros(1'795'430'760'000'000);
}

template <typename... Ops>
void Serve(Service& service) {
  (service.Register<Ops>([](const RequestContext&, const typename Ops::Input&)
                             -> Outcome<typename Ops::Output> { return typename Ops::Output{}; }),
   ...);
}

struct World {
  World() {
    Serve<rds::CreateDBInstance, rds::DescribeDBInstances, rds::ModifyDBInstance>(rds);
    Serve<ec2::AuthorizeSecurityGroupIngress, ec2::CreateVpc, ec2::DescribeSubnets,
          ec2::CreateTags>(ec2);
    Serve<secretsmanager::CreateSecret, secretsmanager::ListSecrets, secretsmanager::TagResource>(
        secrets);
    Serve<cloudformation::CreateStack, cloudformation::CreateChangeSet>(stacks);
    Serve<sts::GetCallerIdentity>(sts);
    for (const Service* service : {&rds, &ec2, &secrets, &stacks, &sts}) api.Add(*service);
  }

  OneKey keys;
  Service rds{rds::kService};
  Service ec2{ec2::kService};
  Service secrets{secretsmanager::kService};
  Service stacks{cloudformation::kService};
  Service sts{sts::kService};
  Api api{{.account_id = "123456789012",
           .region = "us-west-2",
           .now = Now,
           .new_request_id = [] { return std::string("id"); }},
          keys,
          Log()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  if (size == 0) return 0;
  static constexpr std::string_view kServices[] = {"rds", "ec2",      "secretsmanager",
                                                   "sts", "dynamodb", "cloudformation"};
  const std::string_view service = kServices[data[0] % std::size(kServices)];
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  const bool json = service == "secretsmanager";
  http::Request request{.method = data[0] >= 128 ? "GET" : "POST", .headers = {{"Host", "h"}}};
  if (json) request.headers.Add("X-Amz-Target", line);
  if (!json && !line.empty()) request.target = "/?" + line;
  request.body = rest;
  Sign(request, {"AKID", "secret", "us-west-2", std::string(service)}, Now());
  const http::Response response = world.api.Handle(request);
  if (response.status >= 500) __builtin_trap();
  const bool formed = json ? response.body.empty() || ParseJson(response.body).has_value()
                           : ParseXml(response.body).has_value();
  if (!formed) __builtin_trap();
  return 0;
}
