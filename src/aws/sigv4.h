// Signature Version 4: verifies a request against exactly the headers that its sender signed, and
// signs one as a client does. Faults speak the query services' words; the Api turns them into the
// JSON services' own. Nothing here logs, and no message contains a secret or an expected signature.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/fault.h"
#include "base/time.h"
#include "http/message.h"

namespace howdah::aws {

// Where secret access keys are looked up. Must be safe to call from several threads.
class Credentials {
 public:
  virtual ~Credentials() = default;
  virtual std::optional<std::string> FindSecret(std::string_view access_key_id) const = 0;
};

// Who signed, for which region and service. Verified only when Verify() gave it.
struct Signer {
  std::string access_key_id;
  std::string region;
  std::string service;
};

// How far a clock may be off.
inline constexpr Duration kMaxSkew = 5min;

// The scope that a request claims, unverified: enough to choose the form of an error answer.
std::optional<Signer> ClaimedSigner(const http::Request& request);

// Verifies the Authorization header, or the X-Amz-Signature of a presigned URL. The headers Host
// and X-Amz-* must be signed and stand there once. As on AWS, the same request counts again while
// its time is within the window: what must not happen twice has an idempotency token.
Outcome<Signer> Verify(const http::Request& request, const Credentials& credentials, WallTime now);

struct SigningKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service;
};

// Adds X-Amz-Date and Authorization. The request must already have all its headers, Host among
// them; all of them are signed.
void Sign(http::Request& request, const SigningKey& key, WallTime now);

// A presigned target ("/?Action=…&X-Amz-Signature=…") for a request of this method without a body,
// signed for the header Host alone.
std::string Presign(std::string_view method, std::string_view host, std::string_view target,
                    const SigningKey& key, WallTime now, std::chrono::seconds expires);

}  // namespace howdah::aws
