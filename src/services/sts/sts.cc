// GetCallerIdentity: every caller is the account's root.
#include "services/sts/sts.h"

#include "aws/generated/sts.h"

namespace howdah::services {

void RegisterSts(aws::Service& service) {
  service.Register<aws::sts::GetCallerIdentity>(
      [](const aws::RequestContext& context, const aws::sts::GetCallerIdentityRequest&)
          -> aws::Outcome<aws::sts::GetCallerIdentityResponse> {
        return aws::sts::GetCallerIdentityResponse{.user_id = context.account_id,
                                                   .account = context.account_id,
                                                   .arn = context.principal_arn};
      });
}

}  // namespace howdah::services
